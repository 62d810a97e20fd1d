import { FF1 } from '@noble/ciphers/ff1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ff1 } from '../../src/permutation/ff1.ts'

const KEY = '2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94'
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'

/** NIST's samples 1 to 9 of FF1: key bytes, radix, tweak, plain text, cipher text. */
const samples = [
  [16, 10, '', '0123456789', '2433477484'],
  [16, 10, '39383736353433323130', '0123456789', '6124200773'],
  [16, 36, '3737373770717273373737', '0123456789abcdefghi', 'a9tv40mll9kdu509eum'],
  [24, 10, '', '0123456789', '2830668132'],
  [24, 10, '39383736353433323130', '0123456789', '2496655549'],
  [24, 36, '3737373770717273373737', '0123456789abcdefghi', 'xbj3kv35jrawxv32ysr'],
  [32, 10, '', '0123456789', '6657667009'],
  [32, 10, '39383736353433323130', '0123456789', '1001623463'],
  [32, 36, '3737373770717273373737', '0123456789abcdefghi', 'xs8a0azh2avyalyzuwd'],
] as const

test.for(samples)(
  'the oracle is right: %i bytes, radix %i, tweak %j',
  ([size, radix, tweak, plain, sealed]) => {
    const oracle = FF1(radix, Buffer.from(KEY, 'hex').subarray(0, size), Buffer.from(tweak, 'hex'))
    const made = oracle.encrypt(Array.from(plain, (digit) => DIGITS.indexOf(digit)))
    expect(made.map((digit) => DIGITS[digit]).join('')).toBe(sealed)
  },
)

const lengths = Array.from({ length: 13 }, (_, index) => index + 3)

/** What the oracle makes of a number, in hexadecimal. */
function expected(key: Uint8Array, tweak: Uint8Array, length: number, value: number): string {
  const bits = Array.from(
    BigInt(value)
      .toString(2)
      .padStart(8 * length, '0'),
    Number,
  )
  const made = BigInt(`0b${FF1(2, key, tweak).encrypt(bits).join('')}`)
  return made.toString(16).padStart(2 * length, '0')
}

function keysOf(key: Uint8Array, tweak: Uint8Array, length: number, first: number, count: number): string[] {
  const keys = Buffer.alloc(length * count)
  ff1(key, tweak, length)(first, keys)
  return Array.from({ length: count }, (_, index) =>
    keys.toString('hex', index * length, (index + 1) * length),
  )
}

describe.for(lengths)('of %i bytes', (length) => {
  const most = Math.min(256 ** length, Number.MAX_SAFE_INTEGER) - 1

  test('is what the oracle makes', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const first = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: most - 2 }))
    fc.assert(
      fc.property(key, fc.uint8Array({ maxLength: 40 }), first, (key, tweak, first) => {
        expect(keysOf(key, tweak, length, first, 2)).toEqual([
          expected(key, tweak, length, first),
          expected(key, tweak, length, first + 1),
        ])
      }),
      { numRuns: 40, examples: [[new Uint8Array(32), new Uint8Array(), most - 1]] },
    )
  })

  test('is the same in one large batch as one by one', () => {
    const [key, tweak] = [new Uint8Array(32).fill(length), new Uint8Array(9)]
    const keys = keysOf(key, tweak, length, 70_000, 600)
    const one = ff1(key, tweak, length)
    const single = Buffer.alloc(length)
    for (const [index, made] of keys.entries()) {
      one(70_000 + index, single)
      expect(single.toString('hex')).toBe(made)
    }
  })
})
