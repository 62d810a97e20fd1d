import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { flagOf, variableOf } from '../../src/settings/settings.ts'
import { type Given, problemsOf, read } from './read-settings.ts'

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
