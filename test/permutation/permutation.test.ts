import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LONGEST_UNIQUE, permutation } from '../../src/permutation/permutation.ts'

const SEED = new Uint8Array(32).fill(7)
const lengths = Array.from({ length: LONGEST_UNIQUE }, (_, index) => index + 1)

/** The keys of the numbers from `first` on, in hexadecimal. */
function keysOf(seed: Uint8Array, period: number, length: number, first: number, count: number): string[] {
  const keys = Buffer.alloc(length * count)
  permutation(seed, period, length)(first, keys)
  return Array.from({ length: count }, (_, index) =>
    keys.toString('hex', index * length, (index + 1) * length),
  )
}

test('is for keys of 1 to 15 bytes', () => {
  expect(LONGEST_UNIQUE).toBe(15)
})

test.for([1, 2])('all keys of %i bytes come exactly once, in an order of their own', (length) => {
  const keys = keysOf(SEED, 1, length, 0, 256 ** length)
  expect(new Set(keys).size).toBe(256 ** length)
  expect(keys).not.toEqual(keys.toSorted())
})

describe.for(lengths)('of %i bytes', (length) => {
  test('is the same for the same seed and period, whatever the batch', () => {
    const last = Math.min(256 ** length, 2 ** 53) - 300
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: Math.max(last, 0) }),
        fc.integer({ min: 1, max: 6 }),
        (first, count) => {
          const start = Math.min(first, 256 ** length - count)
          const keys = keysOf(SEED, 3, length, start, count)
          expect(new Set(keys).size).toBe(count)
          expect(keys.flatMap((_, index) => keysOf(SEED, 3, length, start + index, 1))).toEqual(keys)
        },
      ),
      { numRuns: length < 3 ? 5 : 30 },
    )
  })

  test.for([
    ['another seed', new Uint8Array(32).fill(8), 1],
    ['another period', SEED, 2],
  ] as const)('%s deals in another order', ([, seed, period]) => {
    expect(keysOf(seed, period, length, 0, 20)).not.toEqual(keysOf(SEED, 1, length, 0, 20))
  })

  test('has keys of every byte in every place', () => {
    const count = Math.min(256 ** length, 5000)
    const keys = Buffer.alloc(length * count)
    permutation(SEED, 1, length)(0, keys)
    for (let place = 0; place < length; place++) {
      expect(new Set(keys.filter((_, index) => index % length === place)).size).toBe(256)
    }
  })
})

test('the tables of short keys are as likely in one order as in another', () => {
  const firsts = new Array<number>(256).fill(0)
  for (let seed = 0; seed < 5120; seed++) {
    const bytes = Buffer.alloc(32)
    bytes.writeUInt32BE(seed)
    const [first = ''] = keysOf(bytes, 1, 1, 0, 1)
    firsts[Number.parseInt(first, 16)] = (firsts[Number.parseInt(first, 16)] ?? 0) + 1
  }
  // Of 20 expected, each count; the seeds are fixed, so this is no matter of luck.
  expect(Math.min(...firsts)).toBeGreaterThan(4)
  expect(Math.max(...firsts)).toBeLessThan(45)
})
