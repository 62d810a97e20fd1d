import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp, newFolder } from '../helper.ts'

const REDOCLY = resolve(import.meta.dirname, '../../node_modules/@redocly/cli/bin/cli.js')

test.for<[string, Partial<Config>]>([
  ['as it is by default', {}],
  [
    'with all that can be on',
    {
      unique: true,
      rotateEvery: 30,
      apiKeysFile: 'given',
      authMetrics: true,
      saltFrom: 'header:x-user-id',
      rateLimitAddress: 9,
      rateLimitClient: 9,
    },
  ],
])('Redocly finds nothing to mend in the description %s', async ([, overrides]) => {
  const app = await buildApp(overrides, { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
  const folder = await newFolder()
  const file = join(folder, 'openapi.json')
  await writeFile(file, (await app.inject('/openapi.json')).body)
  // It neither asks for a newer version of itself nor tells anybody that it runs.
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [REDOCLY, 'lint', file, '--extends', 'recommended', '--format', 'json'],
    { cwd: folder, env },
  )
  expect([JSON.parse(stdout).totals, stderr]).toEqual([
    { errors: 0, warnings: 0, ignored: 0 },
    expect.stringContaining('Your API description is valid'),
  ])
})
