import { describe, expect, test } from 'vitest'
import {
  fenced,
  LARGEST_LEASE,
  leased,
  MOST_FREE_RANGES,
  MOST_LEASES,
  released,
  totals,
  wholeOf,
} from '../../src/key-space/key-space.ts'
import { first, lease } from './leases.ts'

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
