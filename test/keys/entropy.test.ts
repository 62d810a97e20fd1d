import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Entropy, POOL_SIZE } from '../../src/keys/entropy.ts'
import { buildApp } from '../helper.ts'
import { copyOf, LARGEST_POOLED, NONE_FAILED, Source } from './random-source.ts'

function unwiped(bytes: Buffer | undefined, start: number, end: number): number | undefined {
  return bytes?.subarray(start, end).filter((byte) => byte !== 0).length
}

describe('the bytes', () => {
  test.for([1, 8, 16, 64, LARGEST_POOLED])(
    'taken %i at a time are those of the source, in its order and none left out',
    (length) => {
      const source = new Source()
      const entropy = new Entropy(source.fill)
      const taken = Array.from({ length: (3 * POOL_SIZE) / length }, () => copyOf(entropy, length))
      expect(Buffer.concat(taken).equals(source.all)).toBe(true)
    },
  )

  test('are never handed out twice, whatever lengths are mixed', () => {
    const lengths = fc.array(fc.integer({ min: 8, max: LARGEST_POOLED + 500 }), { size: '+1' })
    fc.assert(
      fc.property(lengths, (lengths) => {
        const source = new Source()
        const entropy = new Entropy(source.fill)
        const taken = lengths.map((length) => copyOf(entropy, length))
        const all = source.all
        const places = taken
          .map((bytes) => ({ start: all.indexOf(bytes), length: bytes.length }))
          .sort((one, other) => one.start - other.start)
        let free = 0
        for (const { start, length } of places) {
          expect(start).toBeGreaterThanOrEqual(free)
          free = start + length
        }
        expect(taken.map((bytes) => bytes.length)).toEqual(lengths)
      }),
    )
  })

  test('of a use that failed are not handed out after it', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    const fail = () => {
      throw new RangeError('no use')
    }
    expect(() => entropy.take(16, fail)).toThrow('no use')
    expect(copyOf(entropy, 16)).toEqual(source.all.subarray(16, 32))
  })

  test('of a million keys of concurrent requests hold no repeat', async () => {
    const app = await buildApp({ maxAnswerBytes: 0 })
    const answers = await Promise.all(Array.from({ length: 1000 }, () => app.inject('/key/16?count=1000')))
    const keys = new Set<string>()
    for (const { body } of answers) {
      for (const key of body.trimEnd().split('\n')) keys.add(key)
    }
    expect(keys.size).toBe(1_000_000)
  }, 30_000)
})

describe('wiping', () => {
  test('leaves no byte of a key in the pool, and touches none of the next', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    copyOf(entropy, 100)
    copyOf(entropy, 28)
    expect(unwiped(source.buffers[0], 0, 128)).toBe(0)
    expect(source.buffers[0]?.subarray(128)).toEqual(source.given[0]?.subarray(128))
  })

  test.for([LARGEST_POOLED + 1, POOL_SIZE, 100_000])('leaves nothing of %i bytes past the pool', (length) => {
    const source = new Source()
    copyOf(new Entropy(source.fill), length)
    expect(source.buffers[1]).toHaveLength(length)
    expect(unwiped(source.buffers[1], 0, length)).toBe(0)
  })

  test('leaves nothing of a failing block', () => {
    const source = new Source('repetition_count', 'repetition_count')
    new Entropy(source.fill)
    expect(unwiped(source.buffers[0], 0, POOL_SIZE)).toBe(0)
  })
})

describe('a quarter of the pool', () => {
  test('is the most that comes from it', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    copyOf(entropy, LARGEST_POOLED)
    expect(source.given).toHaveLength(1)
    expect(copyOf(entropy, LARGEST_POOLED + 1)).toEqual(source.given[1])
    expect(copyOf(entropy, 16)).toEqual(source.given[0]?.subarray(LARGEST_POOLED, LARGEST_POOLED + 16))
  })

  test('is the most that is tested', () => {
    const source = new Source('good', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect(copyOf(entropy, LARGEST_POOLED + 1)).toEqual(source.given[1])
    expect(entropy.healthy).toBe(true)
    expect(entropy.failures).toEqual(NONE_FAILED)
  })
})
