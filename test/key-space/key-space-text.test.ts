import { describe, expect, test } from 'vitest'
import { MOST_EVENTS } from '../../src/key-space/events.ts'
import {
  type KeySpace,
  LARGEST_LEASE,
  MOST_FREE_RANGES,
  MOST_LEASES,
  wholeOf,
} from '../../src/key-space/key-space.ts'
import { readKeySpace, UnreadableKeySpace, writeKeySpace } from '../../src/key-space/key-space-text.ts'
import { MOST_GIVEN_UP, MOST_TARGETS } from '../../src/key-space/notices.ts'

const SEED = Buffer.alloc(60).toString('base64')

const space: KeySpace = {
  storeId: 'store',
  revision: 7,
  fenced: 'a reason',
  period: { number: 2, seed: SEED, startedAt: 5, ends: { everyDays: 30, at: 2_592_000_005 } },
  ended: [{ number: 1, seed: SEED, endedAt: 5 }],
  lengths: {
    '2': {
      mark: 100,
      free: [
        [3, 7],
        [20, 10],
      ],
      leases: [
        ['a', 30, 20],
        ['b', 10, 10],
      ],
      lost: 9,
    },
  },
  events: [
    { id: 4, at: 4, period: 1, type: 'rotation.upcoming', days: 1, endsAt: 5 },
    { id: 5, at: 5, period: 2, type: 'rotation.completed', reason: 'scheduled', endsAt: 2_592_000_005 },
    { id: 6, at: 6, period: 2, type: 'keyspace.low', length: 2 },
  ],
  targets: {
    one: {
      done: 5,
      attempt: 1,
      next: 0,
      by: 'somebody',
      until: 60_005,
      disabled: false,
      givenUp: [4],
      givenUpCount: 9,
    },
    other: { done: 6, attempt: 0, next: 7, by: '', until: 0, disabled: true, givenUp: [], givenUpCount: 0 },
  },
}

const document = JSON.parse(writeKeySpace(space)) as Record<string, unknown>
const event = (changes: object) => ({ events: [{ ...space.events[0], ...changes }] })
const target = (changes: object) => ({ targets: { one: { ...space.targets.one, ...changes } } })
const short = (changes: object) => ({ lengths: { '2': { ...space.lengths['2'], ...changes } } })

test('what was written reads the same', () => {
  expect(readKeySpace(writeKeySpace(space))).toEqual(space)
  expect(document).toMatchObject({ version: 1 })
})

test('as full as it can be it fits into a Secret of Kubernetes, which holds 1 MiB', () => {
  const far = Number.MAX_SAFE_INTEGER
  const free = Array(MOST_FREE_RANGES).fill([far, far])
  const leases = Array(MOST_LEASES).fill(['9 in base64.', far, LARGEST_LEASE])
  const each = { mark: far, free, leases, lost: far }
  const targets = Array.from({ length: MOST_TARGETS }, (_none, index) => [
    `${index}`.padStart(16),
    { ...space.targets.one, givenUp: Array(MOST_GIVEN_UP).fill(far) },
  ])
  const full: KeySpace = {
    ...space,
    lengths: Object.fromEntries(Array.from({ length: 15 }, (_none, index) => [index + 1, each])),
    events: Array(MOST_EVENTS).fill(space.events[1]),
    targets: Object.fromEntries(targets),
  }
  expect(Buffer.byteLength(writeKeySpace(full))).toBeLessThan(2 ** 20)
})

test.for([2, 3, 4711])('refuses version %i, whatever it holds, and names a way out', (version) => {
  const newer = JSON.stringify({ version, anything: true })
  expect(() => readKeySpace(newer)).toThrow(UnreadableKeySpace)
  expect(() => readKeySpace(newer)).toThrow(
    `the store's state has version ${version}, and this key-server knows 1`,
  )
})

describe('refuses as damaged', () => {
  test.for([
    ['nothing', ''],
    ['half a document', writeKeySpace(space).slice(0, -5)],
    ['what is no JSON', 'marker-of-a-state'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['another document', '{"a":1}'],
    ['a version in words', '{"version":"2"}'],
    ['version 0', '{"version":0}'],
  ] as const)('%s', ([, text]) => {
    expect(() => readKeySpace(text)).toThrow(/^the store's state is damaged \([a-z ]+\): restore it/)
    expect(() => readKeySpace(text)).toThrow(UnreadableKeySpace)
  })

  test.for<[string, object]>([
    ['an unknown field', { more: 1 }],
    ['no store id', { storeId: undefined }],
    ['an empty store id', { storeId: '' }],
    ['revision 0', { revision: 0 }],
    ['half a revision', { revision: 1.5 }],
    ['a revision past exact numbers', { revision: 2 ** 53 }],
    ['a fence without a reason', { fenced: true }],
    ['no period', { period: undefined }],
    ['period 0', { period: { ...space.period, number: 0 } }],
    ['a period that began in words', { period: { ...space.period, startedAt: 'today' } }],
    ['a short seed', { period: { ...space.period, seed: 'AAAA' } }],
    ['a seed that is no base64', { period: { ...space.period, seed: `${SEED.slice(0, -1)}*` } }],
    ['an unknown field of a period', { period: { ...space.period, more: 1 } }],
    ['an end without a policy', { period: { ...space.period, ends: { at: 5 } } }],
    ['a policy of no days', { period: { ...space.period, ends: { everyDays: 0, at: 5 } } }],
    ['an end in words', { period: { ...space.period, ends: { everyDays: 1, at: 'soon' } } }],
    ['no events', { events: undefined }],
    ['events that are no list', { events: {} }],
    ['an event that is no object', { events: [1] }],
    ['event 0', event({ id: 0 })],
    ['an event of no time', event({ at: -1 })],
    ['an event of no period', event({ period: 0 })],
    ['an unknown event', event({ type: 'toString' })],
    ['an event with an unknown field', event({ more: 1 })],
    ['an event without one of its fields', event({ days: undefined })],
    ['an event of another type than its fields', event({ type: 'keyspace.low' })],
    ['a rotation for an unknown reason', { events: [{ ...space.events[1], reason: 'whim' }] }],
    ['a low length 16', { events: [{ ...space.events[2], length: 16 }] }],
    ['events out of order', { events: space.events.toReversed() }],
    [
      '101 events',
      { events: Array.from({ length: 101 }, (_, index) => ({ ...space.events[2], id: index + 1 })) },
    ],
    ['no receivers', { targets: undefined }],
    ['receivers that are a list', { targets: [] }],
    ['a receiver that is none', { targets: { one: 1 } }],
    ['a receiver with an unknown field', target({ more: 1 })],
    ['a receiver told of half an event', target({ done: 0.5 })],
    ['6 tries', target({ attempt: 6 })],
    ['a time before all', target({ next: -1 })],
    ['a claim of a number', target({ by: 1 })],
    ['a claim without an end', target({ until: null })],
    ['a receiver that may be disabled', target({ disabled: 0 })],
    ['more given up than all', target({ givenUpCount: 0 })],
    ['given up event 0', target({ givenUp: [0] })],
    ['21 given up', target({ givenUp: Array.from({ length: 21 }, (_, index) => index + 1) })],
    [
      '65 receivers',
      {
        targets: Object.fromEntries(
          Array.from({ length: 65 }, (_, index) => [`${index}`, space.targets.one]),
        ),
      },
    ],
    ['ended periods that are no list', { ended: {} }],
    ['an ended period without an end', { ended: [{ number: 1, seed: SEED, startedAt: 5 }] }],
    ['lengths that are a list', { lengths: [] }],
    ['length 0', { lengths: { '0': space.lengths['2'] } }],
    ['length 16', { lengths: { '16': space.lengths['2'] } }],
    ['a length in words', { lengths: { two: space.lengths['2'] } }],
    ['a mark below what is known', short({ mark: 49 })],
    ['a mark past the whole', short({ mark: wholeOf(2) + 1 })],
    ['a negative mark', short({ mark: -1 })],
    ['no mark', short({ mark: undefined })],
    ['more lost than there is', short({ lost: 54 })],
    ['negative losses', short({ lost: -1 })],
    [
      'free ranges that overlap',
      short({
        free: [
          [0, 5],
          [4, 2],
        ],
      }),
    ],
    ['a free range within a lease', short({ free: [[35, 2]] })],
    ['an empty free range', short({ free: [[60, 0]] })],
    ['a free range past the mark', short({ free: [[99, 2]] })],
    ['a free range of three', short({ free: [[60, 1, 1]] })],
    [
      '65 free ranges',
      short({ mark: 1000, free: Array.from({ length: 65 }, (_, index) => [100 + 2 * index, 1]) }),
    ],
    [
      'leases that overlap',
      short({
        leases: [
          ['a', 50, 10],
          ['b', 59, 1],
        ],
      }),
    ],
    [
      'two leases of one id',
      short({
        leases: [
          ['a', 50, 10],
          ['a', 60, 1],
        ],
      }),
    ],
    ['a lease without an id', short({ leases: [[50, 10]] })],
    ['a lease of nothing', short({ leases: [['a', 50, 0]] })],
    ['leases that are no list', short({ leases: {} })],
    [
      '1,001 leases',
      short({ mark: 5000, leases: Array.from({ length: 1001 }, (_, index) => [`${index}`, 100 + index, 1]) }),
    ],
  ])('%s', ([, changes]) => {
    expect(() => readKeySpace(JSON.stringify({ ...document, ...changes }))).toThrow(/ is damaged \(/)
  })
})

test('a lease may end at the mark, and the mark at the whole', () => {
  const full = short({ mark: 65_536, leases: [['a', 65_530, 6]], lost: 65_536 - 6 - 17 })
  const text = JSON.stringify({ ...document, ...full })
  expect(writeKeySpace(readKeySpace(text))).toBe(text)
})
