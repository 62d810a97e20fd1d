import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keysUntil, oddsInWords, oddsOfRepeat, written } from '../../src/page/odds.js'

/** The probability that `keys` of `values` equally likely ones hold a repeat, key by key. */
function exactOdds(values: number, keys: number): number {
  let none = 1
  for (let drawn = 1; drawn < keys; drawn++) none *= 1 - drawn / values
  return 1 - none
}

describe('the odds of a repeat', () => {
  test.for([
    [8, 2],
    [8, 10],
    [8, 20],
    [16, 2],
    [16, 300],
    [24, 5000],
  ])('of %d bits are near the exact ones of %d keys', ([bits = 0, keys = 0]) => {
    const exact = exactOdds(2 ** bits, keys)
    expect(Math.abs(10 ** oddsOfRepeat(bits, Math.log10(keys)) / exact - 1)).toBeLessThan(0.03)
  })

  test('of fewer than two keys are none', () => {
    expect(oddsOfRepeat(128, 0)).toBe(Number.NEGATIVE_INFINITY)
    expect(oddsOfRepeat(8, 0)).toBe(Number.NEGATIVE_INFINITY)
  })

  test('grow with the keys drawn, and never pass certainty', () => {
    const bits = fc.integer({ min: 8, max: 8192 })
    const logs = fc.double({ min: 0.31, max: 300, noNaN: true })
    fc.assert(
      fc.property(bits, logs, logs, (size, one, other) => {
        const [fewer, more] = [Math.min(one, other), Math.max(one, other)].map((keys) =>
          oddsOfRepeat(size, keys),
        )
        expect(fewer).toBeLessThanOrEqual(Number(more) + 1e-9)
        expect(more).toBeLessThanOrEqual(0)
      }),
    )
  })

  test('are those that a number of keys was asked for', () => {
    const bits = fc.integer({ min: 8, max: 1900 })
    fc.assert(
      fc.property(bits, fc.double({ min: 1e-15, max: 0.999, noNaN: true }), (size, probability) => {
        const keys = keysUntil(size, probability)
        // So few keys for so small a probability that doubles can't tell them from one.
        fc.pre(keys > 1e-3)
        expect(oddsOfRepeat(size, keys)).toBeCloseTo(Math.log10(probability), 6)
      }),
    )
  })
})

test.for([
  [0, '1'],
  [Math.log10(93), '93'],
  [Math.log10(92.2), '93'],
  [Math.log10(77_163), '77,163'],
  [6, '1.0·10⁶'],
  [Math.log10(9.96e7), '1.0·10⁸'],
  [16.4165, '2.6·10¹⁶'],
  [1230.21, '1.6·10¹²³⁰'],
] as const)('the number with the logarithm %d is written %s', ([log, text]) => {
  expect(written(log)).toBe(text)
})

const random = { unique: false, recommended: 16 }

test.for([
  [
    1,
    /^1 byte: any two keys are the same with odds of one in 256, and a repeat is as likely as not after 20 keys/,
  ],
  [
    2,
    /^2 bytes: any two keys are the same with odds of one in 65,536, .* after 302 keys\. Use 16 bytes or more/,
  ],
  [
    3,
    /^3 bytes: a repeat has odds of one in a million after 7 keys, and is as likely as not after 4,824\. Use 16/,
  ],
  [
    8,
    /^8 bytes: a repeat has odds of one in a million after 6\.1·10⁶ keys, .* 5\.1·10⁹\. Use 16 bytes or more/,
  ],
  [
    16,
    /^16 bytes: a repeat has odds of one in a million only after 2\.6·10¹⁶ keys, .* 2\.2·10¹⁹\. 16 bytes are/,
  ],
  [1024, /^1,024 bytes: .* only after 1\.\d·10¹²³⁰ keys/],
] as const)('a length of %d is put into words', ([length, words]) => {
  expect(oddsInWords(length, { ...random, bits: length * 8 })).toMatch(words)
})

test('salted keys have the odds of what is random in them', () => {
  const salted = oddsInWords(64, { ...random, bits: 256 })
  expect(salted).toBe(oddsInWords(32, { ...random, bits: 256 }).replace('32 bytes', '64 bytes'))
})

test('unique keys never repeat', () => {
  expect(oddsInWords(4, { bits: 32, unique: true, recommended: 16 })).toBe(
    '4 bytes: never within a period, as this server deals such keys without a repeat.',
  )
})
