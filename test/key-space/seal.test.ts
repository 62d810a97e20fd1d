import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Seal, WrongSecret } from '../../src/key-space/seal.ts'

const [OLD, NEW] = ['an old secret of at least 32 bytes …', 'a new secret of at least 32 bytes …']
const seed = randomBytes(32)

test('opens what it has closed, and hides it', () => {
  const seal = new Seal([NEW])
  const sealed = seal.close(seed, 'store', 3)
  expect(Buffer.from(sealed, 'base64')).toHaveLength(60)
  expect(Buffer.from(sealed, 'base64').includes(seed.subarray(0, 8))).toBe(false)
  expect(seal.open(sealed, 'store', 3)).toEqual({ seed, current: true })
  expect(seal.close(seed, 'store', 3)).not.toBe(sealed)
})

test('opens with an old secret too, and says so', () => {
  const sealed = new Seal([OLD]).close(seed, 'store', 3)
  expect(new Seal([NEW, OLD]).open(sealed, 'store', 3)).toEqual({ seed, current: false })
  const sealedAnew = new Seal([NEW, OLD]).close(seed, 'store', 3)
  expect(new Seal([NEW]).open(sealedAnew, 'store', 3)).toEqual({ seed, current: true })
})

describe('does not open', () => {
  const seal = new Seal([NEW, OLD])
  const sealed = seal.close(seed, 'store', 3)

  test.for([
    ['with another secret', new Seal(['some other secret of 32 bytes ……']), 'store', 3],
    ['for another store', seal, 'other', 3],
    ['for another period', seal, 'store', 4],
  ] as const)('%s, and tells no secret', ([, other, store, period]) => {
    expect(() => other.open(sealed, store, period)).toThrow(WrongSecret)
    expect(() => other.open(sealed, store, period)).toThrow(/^KEYSPACE_SECRET is not/)
  })

  test('after any change', () => {
    fc.assert(
      fc.property(fc.nat({ max: 59 }), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const bytes = Buffer.from(sealed, 'base64')
        bytes[place] = (bytes[place] ?? 0) ^ change
        expect(() => seal.open(bytes.toString('base64'), 'store', 3)).toThrow(WrongSecret)
      }),
    )
  })
})
