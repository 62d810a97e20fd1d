import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Type from 'typebox'
import { describe, expect, test } from 'vitest'
import { collectSettings } from '../../src/settings/settings.ts'
import { newFolder } from '../helper.ts'
import { type Given, problemsOf, read } from './read-settings.ts'

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
