import { describe, expect, test } from 'vitest'
import { notes } from './chart.ts'

const KUBERNETES = { unique: { enabled: true, store: 'kubernetes' } }
const POSTGRES = { unique: { enabled: true, store: 'postgres', postgres: { name: 'database' } } }

describe('the notes', () => {
  test('say that a file’s upgrade has a gap, and what stays', (context) => {
    expect(notes(context, { unique: { enabled: true } })).toMatch(
      /No key of fewer than 16 bytes comes twice[\s\S]*An upgrade has a gap[\s\S]*: secret\/key-server-keyspace, pvc\/key-server-store\n/,
    )
    expect(notes(context, KUBERNETES)).toMatch(/: secret\/key-server-keyspace, secret\/key-server-store\n/)
  })

  test('recommend 16 bytes and name the page, unless there is none', (context) => {
    expect(notes(context, {})).toMatch(
      /fewer than 16 bytes can repeat by chance[\s\S]*browser at http:\/\/127\.0\.0\.1:1123\/\n/,
    )
    expect(notes(context, { pages: false })).not.toMatch(/browser/)
  })

  test('say of no gap where there is none', (context) => {
    for (const values of [{}, KUBERNETES, POSTGRES]) expect(notes(context, values)).not.toMatch(/gap/)
  })
})
