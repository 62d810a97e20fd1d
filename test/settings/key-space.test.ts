import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSettings, SettingsError } from '../../src/settings/settings.ts'
import { readLocation } from '../../src/stores/location.ts'
import { newFolder } from '../helper.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const POSTGRES = 'postgres://keys:hunter2@db.example/keys'

async function problemsOf(env: Record<string, string>, args: string[] = []): Promise<readonly string[]> {
  try {
    readSettings({ args, env, folder: await newFolder() })
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('the store', () => {
  test.for([
    ['', /^must be the path of a file, .*; it is empty$/],
    ['redis://:hunter2@cache', /^must be .*; nothing else before a colon is known$/],
    ['file:///var/lib/keys.db', /^must be .*; nothing else before a colon is known$/],
    ['memory:', /^must be .*; nothing else before a colon is known$/],
    ['a\0b', /^must be the path of a file/],
    ['postgres://', /^must be a URL like postgres:/],
    ['postgres:keys', /^must be a URL like postgres:/],
    ['postgres://keys:hunter2/x@db.example/keys', /^must be a URL .* % codes/],
    ['postgres://keys:1/hunter2@db.example/keys', /^must be a URL .* % codes/],
    ['postgres://keys:hunter2@db.example:port/keys', /^must be a URL/],
    ['kubernetes:', /^must name a Secret/],
    ['kubernetes:Keys', /^must name a Secret/],
    ['kubernetes:../configmaps/x', /^must name a Secret/],
    ['kubernetes:-keys', /^must name a Secret/],
    ['host=db user=keys password=hunter2', /^must be the path of a file.*; words like host=/],
    ['password=hunter2', /words like host=/],
    ['sslmode=require password = hunter2', /words like host=/],
    [`kubernetes:${'a'.repeat(254)}`, /^must name a Secret/],
  ] as const)('%j is refused, with what would be right', async ([setting, problem]) => {
    expect(readLocation(setting)).toMatch(problem)
    const problems = await problemsOf({ UNIQUE: 'true', STORE: setting, KEYSPACE_SECRET: SECRET })
    expect(problems).toEqual([`-store (STORE) ${readLocation(setting)}`])
    expect(problems.join()).not.toContain('hunter2')
  })

  test.for([
    ['./data/key-server.db', { kind: 'file', path: './data/key-server.db' }],
    ['/var/lib/a b/keys:1.db', { kind: 'file', path: '/var/lib/a b/keys:1.db' }],
    [POSTGRES, { kind: 'postgres', url: POSTGRES }],
    [
      'POSTGRESQL://db/keys?sslmode=require',
      { kind: 'postgres', url: 'POSTGRESQL://db/keys?sslmode=require' },
    ],
    ['kubernetes:key-server.keys-1', { kind: 'kubernetes', secret: 'key-server.keys-1' }],
    [`kubernetes:${'a'.repeat(253)}`, { kind: 'kubernetes', secret: 'a'.repeat(253) }],
  ] as const)('%j is understood', async ([setting, location]) => {
    expect(readLocation(setting)).toEqual(location)
    expect(await problemsOf({ UNIQUE: 'true', STORE: setting, KEYSPACE_SECRET: SECRET })).toEqual([])
  })

  test('whatever it is, it is never repeated in what is said of it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (text) => {
        for (const setting of [
          text,
          `${text}:x`,
          `postgres://keys:${text}@host/keys`,
          `kubernetes:${text}`,
        ]) {
          const location = readLocation(setting)
          if (typeof location === 'string') expect(location).not.toContain(text)
        }
      }),
    )
  })

  test('is read from a file, as it may hold a password', async () => {
    const folder = await newFolder()
    const path = join(folder, 'store')
    await writeFile(path, `${POSTGRES}\n`)
    expect(readSettings({ args: [], env: { STORE_FILE: path }, folder }).store).toBe(POSTGRES)
  })
})

describe('the secrets', () => {
  const short = 'KEYSPACE_SECRET must have at least 32 bytes, not '
  test.for<[string, Record<string, string>, (string | RegExp)[]]>([
    ['are not needed with a file', {}, []],
    ['may be given with a file', { KEYSPACE_SECRET: SECRET }, []],
    ['are needed with PostgreSQL', { STORE: POSTGRES }, [/^a postgres store needs KEYSPACE_SECRET/]],
    ['are needed with Kubernetes', { STORE: 'kubernetes:x' }, [/^a kubernetes store needs KEYSPACE_/]],
    ['are enough with PostgreSQL', { STORE: POSTGRES, KEYSPACE_SECRET: SECRET }, []],
    ['must not be empty', { KEYSPACE_SECRET: '' }, [`${short}0`]],
    ['must not be short', { KEYSPACE_SECRET: SECRET.slice(1) }, [`${short}31`]],
    [
      'must not be short, the old one too',
      { KEYSPACE_SECRET: SECRET, KEYSPACE_OLD_SECRET: 'x' },
      [/OLD_.*not 1$/],
    ],
    ['are measured in bytes', { KEYSPACE_SECRET: '\u00e9'.repeat(16) }, []],
    ['may be a new and an old one', { KEYSPACE_SECRET: SECRET, KEYSPACE_OLD_SECRET: SECRET }, []],
    [
      'must not be the old one alone',
      { KEYSPACE_OLD_SECRET: SECRET },
      [/^KEYSPACE_OLD_SECRET needs KEYSPACE_SECRET/],
    ],
    [
      'are not called missing when their file is',
      { STORE: POSTGRES, KEYSPACE_SECRET_FILE: '/nonexistent' },
      [/^cannot read the file that KEYSPACE_SECRET_FILE names: ENOENT/],
    ],
    [
      'are named together with what else is wrong',
      { STORE: 'redis:', KEYSPACE_SECRET: 'hunter2', MAX_SIZE: 'x' },
      [/MAX_SIZE/, /STORE/, `${short}7`],
    ],
  ])('%s', async ([, env, expected]) => {
    const problems = await problemsOf({ UNIQUE: 'true', ...env })
    expect(problems).toEqual(
      expected.map((problem) => (typeof problem === 'string' ? problem : expect.stringMatching(problem))),
    )
    expect(problems.join()).not.toContain('hunter2')
  })
})

test('without -unique none of them is looked at', async () => {
  expect(await problemsOf({ STORE: 'redis://cache', KEYSPACE_SECRET: 'short' })).toEqual([])
})
