import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Entropy, POOL_SIZE } from '../../src/keys/entropy.ts'
import { EntropyUnavailable } from '../../src/problems/problems.ts'
import { type Block, copyOf, failing, LARGEST_POOLED, MARKER, NONE_FAILED, Source } from './random-source.ts'

/** Such a copy, or undefined while the source fails. */
function attempt(entropy: Entropy, length: number): Buffer | undefined {
  try {
    return copyOf(entropy, length)
  } catch (error) {
    expect(error).toBeInstanceOf(EntropyUnavailable)
    return undefined
  }
}

describe('a failing block', () => {
  test.for(failing)('of %s is thrown away, counted and never served', (test) => {
    const source = new Source(test)
    const entropy = new Entropy(source.fill)
    expect(copyOf(entropy, 16)).toEqual(source.given.at(-1)?.subarray(0, 16))
    expect(entropy.healthy).toBe(true)
    expect(entropy.failures).toEqual({ ...NONE_FAILED, [test]: 1 })
  })

  test('at a refill is replaced by another', () => {
    const source = new Source('good', 'adaptive_proportion', 'good', 'repetition_count')
    const entropy = new Entropy(source.fill)
    const taken = Array.from({ length: 12 }, () => copyOf(entropy, LARGEST_POOLED))
    const good = [0, 2, 4].map((index) => source.given[index] ?? Buffer.alloc(0))
    expect(Buffer.concat(taken).equals(Buffer.concat(good))).toBe(true)
    expect(entropy.failures).toEqual({ ...NONE_FAILED, repetition_count: 1, adaptive_proportion: 1 })
  })

  test('and a second in a row end the service until one passes, with one refill for each take', () => {
    const source = new Source('adaptive_proportion', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect(entropy.healthy).toBe(false)
    expect(source.given).toHaveLength(2)

    expect(() => copyOf(entropy, 16)).toThrow(EntropyUnavailable)
    expect(entropy.healthy).toBe(false)
    expect(source.given).toHaveLength(3)

    expect(copyOf(entropy, 16)).toEqual(source.given[3]?.subarray(0, 16))
    expect(entropy.healthy).toBe(true)
    expect(source.given).toHaveLength(4)
    expect(entropy.failures).toEqual({ ...NONE_FAILED, repetition_count: 2, adaptive_proportion: 1 })
  })

  test('twice at a refill fails the take that needed it', () => {
    const source = new Source('good', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    for (let taken = 0; taken < POOL_SIZE; taken += 1024) copyOf(entropy, 1024)
    expect(() => copyOf(entropy, 16)).toThrow(EntropyUnavailable)
    expect(source.given).toHaveLength(3)
    expect(copyOf(entropy, 16)).toEqual(source.given[3]?.subarray(0, 16))
  })

  test('twice holds back keys that go past the pool too', () => {
    const source = new Source('repetition_count', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect(() => copyOf(entropy, POOL_SIZE)).toThrow(EntropyUnavailable)
    expect(source.given.map((bytes) => bytes.length)).toEqual([POOL_SIZE, POOL_SIZE, POOL_SIZE])
    expect(copyOf(entropy, POOL_SIZE)).toEqual(source.given[4])
  })

  test('is made up for by one block a call of recover(), which draws none while all is well', () => {
    const source = new Source('repetition_count', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect([entropy.recover(), source.given.length]).toEqual([false, 3])
    expect([entropy.recover(), source.given.length]).toEqual([true, 4])
    expect([entropy.recover(), source.given.length]).toEqual([true, 4])
  })
})

describe('a source that throws half-way', () => {
  test('leaves nothing to hand out of the pool that it was filling, zeros least of all', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    for (let taken = 0; taken < 481; taken++) copyOf(entropy, 17)
    source.broken = 'source_error'
    for (const length of [17, 15, 1]) expect(() => copyOf(entropy, length)).toThrow(EntropyUnavailable)
    source.broken = false
    expect(copyOf(entropy, 15)).toEqual(source.given[1]?.subarray(0, 15))
    expect(source.given).toHaveLength(2)
  })

  test('is drawn from twice for a pool, and once for more than a quarter of it', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    source.broken = 'source_error'
    expect(() => copyOf(entropy, LARGEST_POOLED + 1)).toThrow(EntropyUnavailable)
    expect([entropy.healthy, entropy.failures.source_error]).toEqual([false, 1])

    source.broken = false
    expect(entropy.recover()).toBe(true)
    for (let taken = 0; taken < 4; taken++) copyOf(entropy, LARGEST_POOLED)
    source.broken = 'source_error'
    expect(() => copyOf(entropy, 1)).toThrow(EntropyUnavailable)
    expect([entropy.healthy, entropy.failures]).toEqual([false, { ...NONE_FAILED, source_error: 3 }])
  })

  test('or fails otherwise, however often, adds no byte to what is handed out', () => {
    const script = fc.array(fc.constantFrom<Block>('good', ...failing, 'source_error'), { size: '+1' })
    const lengths = fc.array(fc.integer({ min: 16, max: LARGEST_POOLED + 500 }), { size: '+1' })
    fc.assert(
      fc.property(script, lengths, (script, lengths) => {
        const source = new Source(...script)
        const entropy = new Entropy(source.fill)
        let from = 0
        for (const length of lengths) {
          const pooled = length <= LARGEST_POOLED
          const bytes = attempt(entropy, length)
          if (bytes === undefined) continue
          const all = source.all
          const place = all.indexOf(bytes)
          expect(place).toBeGreaterThanOrEqual(pooled ? from : 0)
          if (pooled) from = place + length
        }
      }),
    )
  })
})

describe('a change of health', () => {
  test.for(failing)('by %s is told once each way, however many calls there are', (block) => {
    const changes: [boolean, unknown][] = []
    const source = new Source()
    const entropy = new Entropy(source.fill, (healthy, error) => changes.push([healthy, error]))
    expect(changes).toEqual([])

    const cause = block === 'source_error' ? expect.objectContaining({ message: MARKER }) : undefined
    const told: [boolean, unknown][] = []
    for (let round = 0; round < 3; round++) {
      source.broken = block
      while (entropy.healthy) attempt(entropy, 16)
      for (let call = 0; call < 10; call++) {
        expect(() => copyOf(entropy, 16)).toThrow(EntropyUnavailable)
        expect(entropy.recover()).toBe(false)
      }
      told.push([false, cause])
      expect(changes).toEqual(told)

      source.broken = false
      for (let call = 0; call < 10; call++) {
        copyOf(entropy, 16)
        expect(entropy.recover()).toBe(true)
      }
      told.push([true, undefined])
      expect(changes).toEqual(told)
    }
  })

  test('is told by the first draw already', () => {
    const changes: [boolean, unknown][] = []
    new Entropy(new Source('source_error', 'source_error').fill, (...change) => changes.push(change))
    expect(changes).toEqual([[false, expect.objectContaining({ message: MARKER })]])
  })

  test('is none when one block fails', () => {
    const changes: boolean[] = []
    const source = new Source('source_error', 'good', 'repetition_count')
    const entropy = new Entropy(source.fill, (healthy) => changes.push(healthy))
    for (let taken = 0; taken < 2 * POOL_SIZE; taken += 16) copyOf(entropy, 16)
    expect([entropy.failures, changes]).toEqual([
      { ...NONE_FAILED, source_error: 1, repetition_count: 1 },
      [],
    ])
  })
})
