import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Type from 'typebox'
import { describe, expect, test } from 'vitest'
import type { Config } from '../src/schemas/settings.ts'
import {
  collectSettings,
  flagOf,
  readSettings,
  SettingsError,
  type SettingsSources,
  variableOf,
} from '../src/settings.ts'
import { newFolder } from './helper.ts'

interface Given extends Partial<Pick<SettingsSources, 'args' | 'env'>> {
  dotenv?: string
  unreadable?: boolean
}

async function read({ args = [], env = {}, dotenv, unreadable }: Given): Promise<Config> {
  const folder = await newFolder()
  if (unreadable) await mkdir(join(folder, '.env'))
  if (dotenv !== undefined) await writeFile(join(folder, '.env'), dotenv)
  return readSettings({ args, env, folder })
}

async function problemsOf(given: Given): Promise<readonly string[]> {
  try {
    await read(given)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('the order of sources', () => {
  test.for<{ name: keyof Config; texts: [flag: string, env: string, dotenv: string]; values: unknown[] }>([
    { name: 'maxSize', texts: ['64', '65', '66'], values: [64, 65, 66, 1024] },
    { name: 'logRequests', texts: ['true', 'true', 'true'], values: [true, true, true, false] },
    { name: 'host', texts: ['::1', '127.0.0.1', 'localhost'], values: ['::1', '127.0.0.1', 'localhost', ''] },
  ])('$name: flag > environment > .env > default', async ({ name, texts: [flag, env, dotenv], values }) => {
    const sources: Given[] = [
      { args: [`-${flagOf(name)}=${flag}`] },
      { env: { [variableOf(name)]: env } },
      { dotenv: `${variableOf(name)}=${dotenv}\n` },
      {},
    ]
    const found = sources.map((_, first) => read(Object.assign({}, ...sources.slice(first))))
    expect((await Promise.all(found)).map((config) => config[name])).toEqual(values)
  })

  test('a false flag wins over a true in the environment', async () => {
    const config = await read({ args: ['-log-requests=false'], env: { LOG_REQUESTS: 'true' } })
    expect(config.logRequests).toBe(false)
  })

  test('each source may give a part', async () => {
    const config = await read({ args: ['-max-size=64'], env: { MIN_SIZE: '16' }, dotenv: 'SRV_PORT=8080' })
    expect(config).toMatchObject({ maxSize: 64, minSize: 16, srvPort: 8080, host: '' })
  })

  test('other variables of the environment mean nothing', async () => {
    expect(await read({ env: { PATH: '/bin', MAX_SIZES: 'x' }, dotenv: 'OTHER=1' })).toEqual(await read({}))
  })
})

describe('the form of a flag', () => {
  test.for<[string[], Partial<Config>]>([
    [['-max-size', '64'], { maxSize: 64 }],
    [['-max-size=64'], { maxSize: 64 }],
    [['--max-size', '64'], { maxSize: 64 }],
    [['--max-size=64'], { maxSize: 64 }],
    [['-log-requests'], { logRequests: true }],
    [['--log-requests'], { logRequests: true }],
    [['-log-requests=true'], { logRequests: true }],
    [['-log-requests=false'], { logRequests: false }],
    [['-log-requests', '-max-size', '64'], { logRequests: true, maxSize: 64 }],
    [['-max-size', '64', '-max-size', '65'], { maxSize: 65 }],
    [['-host='], { host: '' }],
    [['-host=a=b'], { host: 'a=b' }],
    [['-host', '-a'], { host: '-a' }],
  ])('%j is taken', async ([args, expected]) => {
    expect(await read({ args })).toMatchObject(expected)
  })

  test.for<[string[], string[]]>([
    [['-no-such-flag'], ['unknown flag "-no-such-flag": see -help for those there are']],
    [['--no-such-flag=1'], ['unknown flag "-no-such-flag": see -help for those there are']],
    [['-x'], ['unknown flag "-x": see -help for those there are']],
    [['-max-size'], ['-max-size needs a value']],
    [['stray'], ['unexpected argument "stray"']],
    [['-log-requests', 'true'], ['unexpected argument "true"']],
    [['-max-size', '64', '65'], ['unexpected argument "65"']],
    [['--', '-max-size=64'], ['unexpected argument "-max-size=64"']],
    [['-x\u001b[2J'], ['unknown flag "-x\\u001b[2J": see -help for those there are']],
  ])('%j is refused', async ([args, problems]) => {
    expect(await problemsOf({ args })).toEqual(problems)
  })
})

describe('the values of a setting', () => {
  test.for([
    ['MAX_SIZE', '0', false],
    ['MAX_SIZE', '1', true],
    ['MAX_SIZE', '016', true],
    ['MAX_SIZE', '1048576', true],
    ['MAX_SIZE', '1048577', false],
    ['MIN_SIZE', '0', false],
    ['MIN_SIZE', '1', true],
    ['MIN_SIZE', '1048576', true],
    ['MIN_SIZE', '1048577', false],
    ['SRV_PORT', '-1', false],
    ['SRV_PORT', '0', true],
    ['SRV_PORT', '65535', true],
    ['SRV_PORT', '65536', false],
    ['MAX_COUNT', '0', false],
    ['MAX_COUNT', '65536', true],
    ['MAX_COUNT', '65537', false],
    ['MAX_BATCH_BYTES', '4194304', true],
    ['MAX_BATCH_BYTES', '4194305', false],
    ['LOG_REQUESTS', 'true', true],
    ['LOG_REQUESTS', 'false', true],
  ] as const)('%s=%s: %s', async ([variable, text, good]) => {
    const rest = variable === 'MIN_SIZE' ? { MAX_SIZE: '1048576' } : {}
    expect(await problemsOf({ env: { ...rest, [variable]: text } })).toHaveLength(good ? 0 : 1)
  })

  test.for(['abc', '0x10', '1e3', ' 5', '5 ', '5\n', '+5', '-5', '5.0', '', '٦', 'Infinity', '9'.repeat(20)])(
    '%j is no number, wherever it stands',
    async (text) => {
      const problem = `-max-size (MAX_SIZE) must be a whole number from 1 to 1048576, not ${JSON.stringify(text)}`
      expect(await problemsOf({ args: [`-max-size=${text}`] })).toEqual([problem])
      expect(await problemsOf({ env: { MAX_SIZE: text } })).toEqual([problem])
      expect(await problemsOf({ dotenv: `MAX_SIZE="${text}"` })).toEqual([problem])
    },
  )

  test.for(['', '1', 'yes', 'TRUE', ' true'])('%j is no boolean', async (text) => {
    expect(await problemsOf({ env: { LOG_REQUESTS: text } })).toEqual([
      `-log-requests (LOG_REQUESTS) must be true or false, not ${JSON.stringify(text)}`,
    ])
  })

  test.for<[string[], RegExp | undefined]>([
    [['-min-size=9', '-max-size=8'], /-min-size \(9\) must not be more than -max-size \(8\)/],
    [['-min-size=8', '-max-size=8'], undefined],
    [['-max-batch-bytes=1023'], /-max-batch-bytes \(1023\) must not be less than -max-size \(1024\)/],
    [['-max-batch-bytes=1024'], undefined],
    [['-drain-time=25'], /-drain-time \(25\) must be less than -shutdown-timeout \(25\)/],
    [['-drain-time=26'], /-drain-time \(26\) must be less than -shutdown-timeout \(25\)/],
    [['-drain-time=24'], undefined],
  ])('%j are held against each other', async ([args, problem]) => {
    expect(await problemsOf({ args })).toEqual(problem ? [expect.stringMatching(problem)] : [])
  })
})

describe('problems are all named at once', () => {
  test.for<{ name: string; given: Given; problems: RegExp[] }>([
    {
      name: 'two bad values',
      given: { env: { MAX_SIZE: 'abc', SRV_PORT: '70000' } },
      problems: [/MAX_SIZE/, /SRV_PORT.*from 0 to 65535, not "70000"/],
    },
    {
      name: 'a bad value and two that contradict each other',
      given: { env: { SRV_PORT: '70000', MIN_SIZE: '9', MAX_SIZE: '8' } },
      problems: [/SRV_PORT/, /-min-size \(9\)/],
    },
    {
      name: 'all comparisons',
      given: { env: { MIN_SIZE: '9', MAX_SIZE: '8', MAX_BATCH_BYTES: '7', DRAIN_TIME: '30' } },
      problems: [/-min-size/, /-max-batch-bytes/, /-drain-time/],
    },
    {
      name: 'flags, environment and .env',
      given: {
        args: ['stray', '-no-such-flag', '-max-size'],
        env: { LOG_REQUESTS: 'yes' },
        dotenv: 'SRV_PORT=x',
      },
      problems: [/"stray"/, /-no-such-flag/, /-max-size needs/, /SRV_PORT/, /LOG_REQUESTS/],
    },
    {
      name: 'an unreadable .env and a bad flag',
      given: { args: ['-srv-port=x'], unreadable: true },
      problems: [/^cannot read \.env: it is not a file$/, /^-srv-port .*not "x"/],
    },
  ])('$name', async ({ given, problems }) => {
    expect(await problemsOf(given)).toEqual(problems.map((problem) => expect.stringMatching(problem)))
    await expect(read(given)).rejects.toThrow(/.+\n.+/)
  })

  test('a value that is bad by itself is not compared as well', async () => {
    expect(await problemsOf({ env: { MIN_SIZE: '2000', MAX_SIZE: 'abc' } })).toHaveLength(1)
  })
})

describe('secrets', () => {
  const schema = Type.Object({
    apiToken: Type.String({ description: 'token of the service', secret: true }),
    pinCode: Type.Integer({ description: 'code', minimum: 1, maximum: 9999, secret: true }),
  })

  async function collect(env: Record<string, string>, files: Record<string, string> = {}) {
    const folder = await newFolder()
    const named = Object.entries(files).map(async ([variable, content]) => {
      const path = join(folder, variable)
      await writeFile(path, content)
      return [variable, path] as const
    })
    const paths = Object.fromEntries(await Promise.all(named))
    return collectSettings(schema, { args: [], env: { ...env, ...paths }, folder })
  }

  test('come from a variable', async () => {
    const { values, problems } = await collect({ API_TOKEN: 'hunter2', PIN_CODE: '17' })
    expect(values).toEqual({ apiToken: 'hunter2', pinCode: 17 })
    expect(problems).toEqual([])
  })

  test.for([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2\n\n', 'hunter2\n'],
    [' hunter2 \n', ' hunter2 '],
  ] as const)('come from a file: %j is %j', async ([content, expected]) => {
    const { values, problems } = await collect({}, { API_TOKEN_FILE: content, PIN_CODE_FILE: '17\n' })
    expect(values).toEqual({ apiToken: expected, pinCode: 17 })
    expect(problems).toEqual([])
  })

  test('are refused from a variable and a file at once', async () => {
    const { values, problems } = await collect({ API_TOKEN: 'hunter2' }, { API_TOKEN_FILE: 'hunter3' })
    expect(values).toEqual({})
    expect(problems).toEqual(['API_TOKEN and API_TOKEN_FILE are both given: one of them must go'])
  })

  test.for([['no such file'], ['.']])('are refused from an unreadable file: %j', async ([path]) => {
    const { values, problems } = await collect({ API_TOKEN_FILE: join(tmpdir(), `${path}`) })
    expect(values).toEqual({})
    expect(problems).toEqual([expect.stringMatching(/^cannot read the file that API_TOKEN_FILE names: E/)])
  })

  test.for<[string, Record<string, string>, Record<string, string>]>([
    ['a variable', { PIN_CODE: '71077345' }, {}],
    ['a file', {}, { PIN_CODE_FILE: '71077345\n' }],
  ])('are never printed: a bad value in %s', async ([, env, files]) => {
    const { values, problems } = await collect(env, files)
    expect(values).toEqual({})
    expect(problems).toEqual(['-pin-code (PIN_CODE) must be a whole number from 1 to 9999'])
  })

  test('only they have a variable for a file', async () => {
    expect(await read({ env: { MAX_SIZE_FILE: '/no/such/file' } })).toMatchObject({ maxSize: 1024 })
  })
})
