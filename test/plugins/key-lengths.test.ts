import { describe, expect, test } from 'vitest'
import { difference, keyLengthCases } from '../../src/commands/self-test.ts'
import { buildApp, settings } from '../helper.ts'

describe('GET /key/{length}', () => {
  test.for(keyLengthCases(settings()))('$name', async (row) => {
    const app = await buildApp()
    expect(difference(row, await app.inject(`/key/${row.length}`))).toBeUndefined()
  })
})
