import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SpaceEvent } from '../../src/key-space/events.ts'
import { fenced, type KeySpace, leased, newKeySpace, totals } from '../../src/key-space/key-space.ts'
import { readKeySpace, writeKeySpace } from '../../src/key-space/key-space-text.ts'
import { amended, GRACE_MS, maintained, rotated, withPolicy } from '../../src/key-space/rotation.ts'
import { DAY_MS, rfc3339 } from '../../src/time.ts'

const SEALED = Buffer.alloc(60).toString('base64')
const OTHER = Buffer.alloc(60, 1).toString('base64')
const first = newKeySpace('store', SEALED, 1000)

let leases = 0

/** `size` keys in a lease, two bytes each by default, or all that are left. */
const lease = (space: KeySpace, size: number, length = 2): KeySpace =>
  leased(space, { length, id: `${leases++}`, size, demand: size, least: 1 }) ?? space

/** The events of a state in a few words. */
const told = ({ events }: KeySpace) =>
  events.map((event) => {
    const [subject] = [event].map((one: SpaceEvent) =>
      one.type === 'rotation.upcoming' ? one.days : one.type === 'keyspace.low' ? one.length : one.reason,
    )
    return `${event.id} ${event.type} ${subject} in ${event.period}`
  })

describe('a rotation', () => {
  test('begins anew with the next number and another seed, and keeps the old seed for an hour', () => {
    const space = amended(rotated(fenced(lease(first, 16), 'why', 1), OTHER, 5000), 5000)
    expect(space).toEqual({
      storeId: 'store',
      revision: 2,
      period: { number: 2, seed: OTHER, startedAt: 5000 },
      ended: [{ number: 1, seed: SEALED, endedAt: 5000 }],
      lengths: {},
      events: [{ id: 1, at: 5000, period: 2, type: 'rotation.completed', reason: 'requested' }],
      targets: {},
    })
    const late = 5000 + GRACE_MS
    expect(maintained(space, late - 1)).toBe(space)
    expect(maintained(space, late)).not.toBe(space)
    expect(amended(space, late - 1).ended).toHaveLength(1)
    expect(amended(space, late).ended).toEqual([])
  })

  test('gives the next period the same policy', () => {
    const space = rotated(withPolicy(first, 30, 1000), OTHER, 5000)
    expect(space.period.ends).toEqual({ everyDays: 30, at: 5000 + 30 * DAY_MS })
    expect(space.events).toEqual([expect.objectContaining({ endsAt: 5000 + 30 * DAY_MS })])
  })

  test('is due at the end of the period, by no other clock than the one that is asked', () => {
    const space = withPolicy(first, 30, 1000)
    const at = 1000 + 30 * DAY_MS
    expect(maintained(space, at - 1, () => OTHER).period.number).toBe(1)
    const next = maintained(space, at, () => OTHER)
    expect(next.period).toEqual({
      number: 2,
      seed: OTHER,
      startedAt: at,
      ends: { everyDays: 30, at: at + 30 * DAY_MS },
    })
    expect(next.events.at(-1)).toMatchObject({ type: 'rotation.completed', reason: 'scheduled' })
    expect(maintained(next, at, () => OTHER)).toBe(next)
  })

  test('does not happen where it may not, or is not wanted', () => {
    expect(maintained(withPolicy(first, 1, 1000), 10 * DAY_MS).period.number).toBe(1)
    expect(maintained(first, Number.MAX_SAFE_INTEGER, () => OTHER)).toBe(first)
  })
})

describe('a policy', () => {
  test.for([
    ['counts from the start of the period', 0, 90, 10, 90],
    ['that is longer counts from there too', 30, 90, 29, 90],
    ['that is shorter too', 90, 30, 10, 30],
    ['that would have ended the period ends it in a day', 90, 30, 50, 51],
    ['of a day leaves a day', 0, 1, 400, 401],
  ] as const)('%s', ([, before, days, today, end]) => {
    const space = withPolicy(withPolicy(first, before, 1000), days, 1000 + today * DAY_MS)
    expect(space.period.ends).toEqual({ everyDays: days, at: 1000 + end * DAY_MS })
  })

  test('that is there already changes nothing', () => {
    expect(withPolicy(first, 0, 5)).toBe(first)
    const space = withPolicy(first, 30, 1000)
    expect(withPolicy(space, 30, 99 * DAY_MS)).toBe(space)
  })

  test('of 0 days leaves no end', () => {
    expect(withPolicy(withPolicy(first, 30, 1000), 0, 5000)).toEqual(first)
  })
})

describe('clients are told', () => {
  /** What is told when somebody looks on each of those days before the end. */
  const looked = (policy: number, days: readonly number[]) =>
    days.reduce(
      (space, day) => maintained(space, 1000 + (policy - day) * DAY_MS),
      withPolicy(first, policy, 1000),
    )

  test.for([
    [365, [30, 14, 7, 1]],
    [90, [30, 14, 7, 1]],
    [30, [14, 7, 1]],
    [14, [7, 1]],
    [8, [7, 1]],
    [7, [1]],
    [2, [1]],
    [1, []],
  ] as const)('of the end of a period of %i days so many days before', ([policy, days]) => {
    const hours = Array.from({ length: policy * 4 + 1 }, (_, index) => policy - index / 4)
    const { events } = looked(policy, hours)
    expect(events.map(({ at }) => policy - (at - 1000) / DAY_MS)).toEqual(days)
    expect(events).toMatchObject(
      days.map((day, index) => ({
        id: index + 1,
        period: 1,
        type: 'rotation.upcoming',
        days: day,
        endsAt: 1000 + policy * DAY_MS,
      })),
    )
  })

  test('of the last notice alone after nobody was there, and of none again', () => {
    expect(told(looked(90, [40, 6, 3, 1, 0.5, 0]))).toEqual([
      '1 rotation.upcoming 7 in 1',
      '2 rotation.upcoming 1 in 1',
    ])
  })

  test('anew where the end has moved', () => {
    const space = withPolicy(looked(90, [31, 13]), 365, 1000 + 77 * DAY_MS)
    expect(told(maintained(space, 1000 + 335 * DAY_MS))).toEqual([
      '1 rotation.upcoming 14 in 1',
      '2 rotation.upcoming 30 in 1',
    ])
  })

  test('once in a period of a length of which less than a tenth is left', () => {
    const space = lease(first, 58_982)
    expect(totals(space, 2).left).toBe(6554)
    expect(maintained(space, 2000)).toBe(space)
    const low = maintained(lease(lease(space, 1), 231, 1), 2000)
    expect(told(low)).toEqual(['1 keyspace.low 1 in 1', '2 keyspace.low 2 in 1'])
    const one = maintained(lease(first, 231, 1), 2000)
    expect(told(maintained(lease(one, 59_000), 3000))).toEqual(told(low))
    expect(maintained(lease(low, 100), 3000).events).toHaveLength(2)
    const next = maintained(lease(rotated(low, OTHER, 4000), 60_000), 5000)
    expect(told(next).slice(2)).toEqual(['3 rotation.completed requested in 2', '4 keyspace.low 2 in 2'])
  })

  test('by the latest 100 events', () => {
    let space = first
    for (let number = 0; number < 150; number++) space = rotated(space, OTHER, number)
    expect(space.events.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, index) => 51 + index))
  })
})

const acts: Record<string, (space: KeySpace, now: number, size: number) => KeySpace> = {
  rotate: (space, now) => rotated(space, OTHER, now),
  look: (space, now) => maintained(space, now, () => OTHER),
  'look without leave': (space, now) => maintained(space, now),
  policy: (space, now, days) => withPolicy(space, days, now),
  lease: (space, _now, size) => lease(space, size + 1, (size % 2) + 1),
}

test('whatever happens, a state can be read again, and its period ends after it began', () => {
  const step = fc.record({
    days: fc.integer({ min: 0, max: 50 }),
    act: fc.constantFrom(...Object.keys(acts)),
    size: fc.integer({ min: 0, max: 400 }),
  })
  const endOf = ({ period }: KeySpace) => period.ends?.at ?? Number.POSITIVE_INFINITY
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let [space, now] = [first, 1000]
      for (const { days, act, size } of steps) {
        now += days * DAY_MS
        space = amended(acts[act]?.(space, now, size) ?? space, now)
        expect(readKeySpace(writeKeySpace(space))).toEqual(space)
        expect(endOf(space)).toBeGreaterThan(act === 'look' ? now : space.period.startedAt)
      }
    }),
  )
})

test.for([
  [0, '1970-01-01T00:00:00Z'],
  [1_793_000_000_999, '2026-10-26T07:33:20Z'],
  [Number.MAX_SAFE_INTEGER, '+275760-09-13T00:00:00Z'],
] as const)('%i is %s', ([ms, text]) => {
  expect(rfc3339(ms)).toBe(text)
})
