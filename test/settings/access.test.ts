import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { accessProblems } from '../../src/settings/access.ts'
import { newFolder, settings } from '../helper.ts'

async function problemsOf(overrides: Partial<Config>, files: Record<string, string> = {}) {
  const folder = await newFolder()
  const named = Object.entries(files).map(async ([name, text]) => {
    const path = join(folder, name)
    await writeFile(path, text)
    return [name, path] as const
  })
  return accessProblems(settings({ ...overrides, ...Object.fromEntries(await Promise.all(named)) }))
}

describe('the settings of who may call', () => {
  test.for<[Partial<Config>, Record<string, string>, string[]]>([
    [{}, {}, []],
    [{}, { apiKeysFile: '{"keys":[]}' }, []],
    [{ authMetrics: true }, { apiKeysFile: '{"keys":[]}' }, []],
    [{ apiKeysFile: '/no/such/file' }, {}, ["-api-keys-file (API_KEYS_FILE): it can't be read: ENOENT"]],
    [{}, { apiKeysFile: '{"keys":[' }, ['-api-keys-file (API_KEYS_FILE): it is no whole JSON document']],
    [
      { admin: true },
      { apiKeysFile: '{"keys":[]}' },
      [expect.stringMatching(/^-admin \(ADMIN\) is for servers without/)],
    ],
    [{ authMetrics: true }, {}, ['-auth-metrics (AUTH_METRICS) needs -api-keys-file']],
    [{ rateLimitClient: 1 }, {}, [expect.stringMatching(/^-rate-limit-client .* needs -api-keys-file/)]],
    [{ rateLimitClient: 1 }, { apiKeysFile: '{"keys":[]}' }, []],
    [{ rateLimitClient: 1, rateLimitStore: 'redis://cache' }, { apiKeysFile: '{"keys":[]}' }, []],
    [
      { rateLimitStore: 'redis://cache' },
      {},
      ['-rate-limit-store (RATE_LIMIT_STORE) needs -rate-limit-address or -rate-limit-client'],
    ],
    ...['redis://cache', 'rediss://user:p%40ss@[::1]:6380/15', 'redis://:hunter2@cache:6379/'].map(
      (rateLimitStore): [Partial<Config>, Record<string, string>, string[]] => [
        { rateLimitStore, rateLimitAddress: 1 },
        {},
        [],
      ],
    ),
    ...['', 'cache', 'http://cache', 'redis:///0', 'redis://:hunter2@cache/a', 'redis://cache?hunter2=0'].map(
      (rateLimitStore): [Partial<Config>, Record<string, string>, string[]] => [
        { rateLimitStore, rateLimitAddress: 1 },
        {},
        [expect.stringMatching(/^-rate-limit-store \(RATE_LIMIT_STORE\) must be redis:(?!.*hunter2)/)],
      ],
    ),
  ])('%j with files %j: %j', async ([overrides, files, problems]) => {
    expect(await problemsOf(overrides, files)).toEqual(problems)
  })
})
