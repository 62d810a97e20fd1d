import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fenced,
  findLease,
  type KeySpace,
  LARGEST_LEASE,
  leased,
  MOST_FREE_RANGES,
  MOST_LEASES,
  newKeySpace,
  released,
  totals,
  wholeOf,
} from '../../src/keys/key-space.ts'
import { readKeySpace, writeKeySpace } from '../../src/keys/key-space-text.ts'
import { sumOf } from '../../src/keys/ranges.ts'
import { amended, rotated } from '../../src/keys/rotation.ts'

/** Of the size of a sealed seed. */
const SEALED = Buffer.alloc(60).toString('base64')
const first = newKeySpace('store', SEALED, 1000)

let ids = 0

function lease(
  space: KeySpace,
  wish: { length?: number; size?: number; demand?: number; least?: number } = {},
) {
  const id = `lease-${ids++}`
  const next = leased(space, { length: 2, size: 16, demand: 0, least: 1, id, ...wish })
  const found = next && findLease(next, wish.length ?? 2, id)
  if (next === undefined || found === undefined) throw new Error('no lease')
  return { space: next, id, first: found[1], count: found[2] }
}

describe('a lease', () => {
  test('begins where the one before ended', () => {
    const one = lease(first)
    expect([one.first, one.count]).toEqual([0, 16])
    const other = lease(one.space)
    expect([other.first, other.count]).toEqual([16, 16])
    expect(totals(other.space, 2)).toEqual({ whole: 65_536, used: 0, left: 65_504, lost: 0, leased: 32 })
  })

  test.for([
    [1, { size: 16 }, 1],
    [1, { size: 16, demand: 10 }, 10],
    [1, { size: 1, demand: 1000 }, 256],
    [2, { size: 10_000 }, 256],
    [2, { size: 10_000, demand: 300 }, 300],
    [3, { size: 10_000_000 }, 65_536],
    [4, { size: 10_000_000 }, 1_000_000],
    [4, { size: 16, demand: 5_000_000 }, 1_000_000],
    [15, { size: 16 }, 16],
  ] as const)('of %i bytes and %j has %i keys', ([length, wish, count]) => {
    expect(lease(first, { length, ...wish }).count).toBe(count)
  })

  test('is at most a 256th of what is left by then', () => {
    const { space } = lease(first, { demand: 65_536 - 512 })
    const next = lease(space, { size: 100 })
    expect(next.count).toBe(2)
    expect(lease(next.space, { size: 100 }).count).toBe(1)
  })

  test('is refused when too few are left, and takes those that there are', () => {
    const { space } = lease(first, { length: 1, demand: 253 })
    const wish = { length: 1, size: 16, demand: 9 }
    expect(leased(space, { ...wish, id: 'x', least: 4 })).toBeUndefined()
    expect(lease(space, { ...wish, least: 3 }).count).toBe(3)
    const { space: empty } = lease(space, { ...wish, least: 3 })
    expect(leased(empty, { ...wish, id: 'x', least: 0 })).toBeUndefined()
    expect(totals(empty, 1).left).toBe(0)
  })

  test('takes what was given back first, from the largest range', () => {
    const one = lease(first, { size: 1, demand: 10 })
    const two = lease(one.space, { demand: 20 })
    const three = lease(two.space, { demand: 20 })
    const given = released(released(three.space, 2, one.id, 4), 2, two.id, 15)
    const next = lease(given, { size: 1, demand: 8 })
    expect([next.first, next.count]).toEqual([15, 8])
    const after = lease(next.space, { demand: 100 })
    expect([after.first, after.count]).toEqual([23, 7])
    expect(totals(after.space, 2).used).toBe(6 + 5)
  })
})

describe('giving back', () => {
  test('frees the end of the lease and counts the rest as used', () => {
    const { space, id } = lease(first)
    const after = released(space, 2, id, 5)
    expect(totals(after, 2)).toEqual({ whole: 65_536, used: 11, left: 65_525, lost: 0, leased: 0 })
    expect(after.lengths[2]?.free).toEqual([[11, 5]])
  })

  test('does nothing the second time, and for a lease that never was', () => {
    const { space, id } = lease(first)
    const after = released(space, 2, id, 5)
    expect(released(after, 2, id, 5)).toBe(after)
    expect(released(after, 2, 'nobody', 5)).toBe(after)
    expect(released(after, 3, id, 5)).toBe(after)
  })

  test('joins neighbours', () => {
    const one = lease(first)
    const two = lease(one.space)
    const three = lease(two.space)
    const ends = [one, three, two].reduce((space, { id }) => released(space, 2, id, 16), three.space)
    expect(ends.lengths[2]).toMatchObject({ mark: 48, free: [[0, 48]] })
  })

  test(`drops the smallest of more than ${MOST_FREE_RANGES} ranges as lost`, () => {
    let space = first
    const leases = Array.from({ length: MOST_FREE_RANGES + 2 }, (_, index) => {
      const one = lease(space, { length: 3, size: 1, demand: index + 2 })
      space = one.space
      return one
    })
    for (const { id, count } of leases) space = released(space, 3, id, count - 1)
    expect(space.lengths[3]?.free).toHaveLength(MOST_FREE_RANGES)
    expect(totals(space, 3)).toMatchObject({ lost: 1 + 2, used: MOST_FREE_RANGES + 2, leased: 0 })
  })
})

test(`of more than ${MOST_LEASES} leases the oldest are lost, and giving them back does nothing`, () => {
  let space = first
  const leases = Array.from({ length: MOST_LEASES + 2 }, () => {
    const one = lease(space, { length: 5 })
    space = one.space
    return one
  })
  expect(space.lengths[5]?.leases).toHaveLength(MOST_LEASES)
  expect(totals(space, 5)).toMatchObject({ lost: 32, leased: 16 * MOST_LEASES, used: 0 })
  expect(released(space, 5, `${leases[1]?.id}`, 16)).toBe(space)
  expect(released(space, 5, `${leases[2]?.id}`, 16)).not.toBe(space)
})

test('a fence is above every revision that anybody remembers', () => {
  expect(fenced(first, 'why', 70)).toEqual({ ...first, fenced: 'why', revision: 70 })
  expect(fenced({ ...first, revision: 90 }, 'why', 70).revision).toBe(90)
})

test.for([
  [1, 256],
  [2, 65_536],
  [6, 2 ** 48],
  [7, Number.MAX_SAFE_INTEGER],
  [15, Number.MAX_SAFE_INTEGER],
] as const)('of keys of %i bytes there are %i', ([length, whole]) => {
  expect(wholeOf(length)).toBe(whole)
  expect(LARGEST_LEASE).toBe(1_000_000)
})

/** What has become of each of the 256 keys of a byte in this period. */
class Model {
  space = first
  readonly fates = new Array<'left' | 'used' | 'lost' | string>(256).fill('left')
  readonly leases = new Map<string, { next: number; end: number }>()
  readonly #revisions = [1]

  step(next: KeySpace): void {
    this.space = readKeySpace(writeKeySpace(amended(next, 1000)))
    expect(this.space.revision).toBeGreaterThan(this.#revisions.at(-1) ?? 0)
    this.#revisions.push(this.space.revision)
  }

  lease(size: number, demand: number, least: number): void {
    const id = `lease-${this.#revisions.length}`
    const left = this.fates.filter((fate) => fate === 'left').length
    const next = leased(this.space, { length: 1, id, size, demand, least })
    expect(next === undefined).toBe(left < Math.max(least, 1))
    if (next === undefined) return
    this.step(next)
    const [, start = 0, count = 0] = findLease(this.space, 1, id) ?? []
    expect(count).toBeGreaterThan(0)
    for (let number = start; number < start + count; number++) {
      // No number is ever leased to two.
      expect(this.fates[number]).toBe('left')
      this.fates[number] = id
    }
    this.leases.set(id, { next: start, end: start + count })
  }

  deal(which: number, count: number): void {
    const lease = [...this.leases.values()][which % Math.max(this.leases.size, 1)]
    if (lease !== undefined) lease.next = Math.min(lease.next + count, lease.end)
  }

  release(which: number, times: number): void {
    const [id, lease] = [...this.leases][which % Math.max(this.leases.size, 1)] ?? []
    if (id === undefined || lease === undefined) return
    for (let time = 0; time < times; time++) this.step(released(this.space, 1, id, lease.end - lease.next))
    this.leases.delete(id)
    for (const [number, fate] of this.fates.entries()) {
      if (fate === id) this.fates[number] = number < lease.next ? 'used' : 'left'
    }
    this.#settleLost()
  }

  rotate(): void {
    this.step(rotated(this.space, SEALED, 1000))
    this.fates.fill('left')
    this.leases.clear()
  }

  check(): void {
    const count = (fate: string) => this.fates.filter((one) => one === fate).length
    const { whole, used, left, lost, leased } = totals(this.space, 1)
    expect({ used, left, lost }).toEqual({ used: count('used'), left: count('left'), lost: count('lost') })
    expect(leased).toBe(256 - used - left - lost)
    expect(used + left + lost + leased).toBe(whole)
  }

  /** Free numbers that are in no range any more were dropped. */
  #settleLost(): void {
    const { free = [], mark = 0 } = this.space.lengths[1] ?? {}
    expect(free.length).toBeLessThanOrEqual(MOST_FREE_RANGES)
    for (const [number, fate] of this.fates.entries()) {
      const isFree =
        number >= mark || free.some(([start, count]) => number >= start && number < start + count)
      if (fate === 'left' && !isFree) this.fates[number] = 'lost'
    }
    expect(sumOf(free)).toBe(this.fates.slice(0, mark).filter((fate) => fate === 'left').length)
  }
}

test('whatever is done, each key is left, leased to one, used or lost, and the state says how many', () => {
  const nat = fc.nat({ max: 300 })
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('lease' as const), fc.nat(40), fc.nat(8), fc.nat(8)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('deal' as const), nat, fc.nat(8), fc.constant(0)) },
    {
      weight: 4,
      arbitrary: fc.tuple(fc.constant('release' as const), nat, fc.integer({ min: 1, max: 2 }), nat),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('rotate' as const), nat, nat, nat) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: 'max' }), (actions) => {
      const model = new Model()
      for (const [kind, one, two, three] of actions) {
        if (kind === 'lease') model.lease(one, two, three)
        else if (kind === 'deal') model.deal(one, two)
        else if (kind === 'release') model.release(one, two)
        else if (three > 280) model.rotate()
        model.check()
      }
    }),
    { numRuns: 150 },
  )
})
