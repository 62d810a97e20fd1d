import { describe, expect, test } from 'vitest'
import { difference, keyLengthCases, selfTest } from '../../src/commands/self-test.ts'
import { DEFAULT_FORMAT } from '../../src/keys/encodings.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { Recorder, settings } from '../helper.ts'
import { keyOf } from '../key-form.ts'

describe('the cases', () => {
  test.for<[Partial<Config>, { valid: number; max: number; over: number; under: number }]>([
    [{}, { valid: 16, max: 1024, over: 1025, under: 0 }],
    [{ minSize: 20 }, { valid: 20, max: 1024, over: 1025, under: 19 }],
    [{ maxSize: 8 }, { valid: 8, max: 8, over: 9, under: 0 }],
    [
      { minSize: 12, maxSize: 12 },
      { valid: 12, max: 12, over: 13, under: 11 },
    ],
    [
      { minSize: 1, maxSize: 1 },
      { valid: 1, max: 1, over: 2, under: 0 },
    ],
    [
      { minSize: 1_048_576, maxSize: 1_048_576 },
      { valid: 1_048_576, max: 1_048_576, over: 1_048_577, under: 1_048_575 },
    ],
    [
      { apiKeysFile: 'keys.json', unique: true, rateLimitClient: 1, rateLimitAddress: 1 },
      { valid: 16, max: 1024, over: 1025, under: 0 },
    ],
    [{ logRequests: true }, { valid: 16, max: 1024, over: 1025, under: 0 }],
  ])('follow from %j, and a line of each passes', async ([overrides, { valid, max, over, under }]) => {
    const output = new Recorder()
    expect(await selfTest(settings(overrides), output)).toBe(0)
    expect(output.text.split('\n')).toEqual([
      `ok     Valid key length: /key/${valid} 200`,
      'ok     Zero key length: /key/0 400',
      'ok     Negative key length: /key/-1 400',
      'ok     Non-numeric key length: /key/abc 400',
      `ok     Maximum valid key length: /key/${max} 200`,
      `ok     Exceeds maximum key length: /key/${over} 400`,
      `ok     Below minimum key length: /key/${under} 400`,
      '',
    ])
  })
})

test('a source that is stuck fails it at the first difference, in a sentence', async () => {
  const output = new Recorder()
  expect(await selfTest(settings(), output, (bytes) => bytes.fill(0))).toBe(1)
  const [logged, ...lines] = output.text.split('\n')
  expect(JSON.parse(`${logged}`)).toMatchObject({
    level: 50,
    msg: expect.stringMatching(/^The source of randomness fails/),
  })
  expect(lines).toEqual(['FAILED Valid key length: /key/16 answered 503, must answer 200', ''])
})

test('a difference further down fails it there', async () => {
  const output = new Recorder()
  expect(await selfTest({ ...settings(), maxBatchBytes: 1023 }, output)).toBe(1)
  expect(output.text.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^ok /),
    expect.stringMatching(/^ok /),
    expect.stringMatching(/^ok /),
    expect.stringMatching(/^ok /),
    'FAILED Maximum valid key length: /key/1024 answered 400, must answer 200',
  ])
})

describe('a difference', () => {
  const [valid, zero] = keyLengthCases(settings({ maxSize: 2 }))
  const key = keyOf(Uint8Array.of(0, 255))
  const other = `is no key of 2 bytes in ${DEFAULT_FORMAT}: it has`
  if (valid === undefined || zero === undefined) throw new Error('the table is empty')

  test.for([
    [valid, 200, key, undefined],
    [valid, 500, key, 'answered 500, must answer 200'],
    [valid, 200, key.slice(1), `${other} ${key.length - 1} characters`],
    [valid, 200, `${key}\n`, `${other} ${key.length + 1} characters`],
    [valid, 200, `!${key.slice(1)}`, `${other} ${key.length} characters`],
    [zero, 400, 'Invalid key length\n', undefined],
    [zero, 200, '', 'answered 200, must answer 400'],
    [zero, 400, 'Bad length\n', 'must say "Invalid key length", not "Bad length\\n"'],
  ] as const)('$0.name answered %j %j: %j', ([row, statusCode, body, expected]) => {
    expect(difference(row, { statusCode, body })).toBe(expected)
  })
})
