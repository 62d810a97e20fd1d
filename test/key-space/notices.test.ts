import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withEvent } from '../../src/key-space/events.ts'
import { type KeySpace, newKeySpace } from '../../src/key-space/key-space.ts'
import { readKeySpace, writeKeySpace } from '../../src/key-space/key-space-text.ts'
import {
  CLAIM_MS,
  claimed,
  claimOf,
  dueNotice,
  LONGEST_PAUSE_MS,
  MOST_GIVEN_UP,
  MOST_TARGETS,
  type Outcome,
  PAUSES_MS,
  pendingNotices,
  settled,
  TRIES,
  withTargets,
} from '../../src/key-space/notices.ts'

const SEALED = Buffer.alloc(60).toString('base64')
const FAILED: Outcome = { kind: 'failed', reason: 'a test' }
const news = (space: KeySpace, count = 1): KeySpace =>
  Array.from({ length: count }).reduce<KeySpace>(
    (told) => withEvent(told, { type: 'keyspace.low', length: 2 }, 1000),
    space,
  )
/** A receiver `a` with two events to be told of, after one from before its time. */
const space = news(withTargets(news(newKeySpace('store', SEALED, 1000)), ['a']), 2)

/** A try that begins at `now` and ends so. */
const tried = (before: KeySpace, outcome: Outcome, now = 1000, jitter = 0): KeySpace =>
  settled(claimed(before, 'a', 'me', now), 'a', 'me', outcome, now, jitter)

describe('a receiver', () => {
  test('is told of what happens from the time it is known, in order', () => {
    expect(pendingNotices(space, 'a')).toBe(2)
    expect(dueNotice(space, 'a', 1000)?.id).toBe(2)
    const once = tried(space, { kind: 'delivered' })
    expect(dueNotice(once, 'a', 1000)?.id).toBe(3)
    const twice = tried(once, { kind: 'delivered' })
    expect(dueNotice(twice, 'a', 1000)).toBeUndefined()
    expect(twice.targets.a).toEqual({
      done: 3,
      attempt: 0,
      next: 0,
      by: '',
      until: 0,
      disabled: false,
      givenUp: [],
      givenUpCount: 0,
    })
  })

  test('that is known stays as it is', () => {
    expect(withTargets(space, ['a'])).toBe(space)
    expect(withTargets(space, [])).toBe(space)
    expect(withTargets(space, ['a', 'b']).targets.a).toBe(space.targets.a)
  })

  test('of which too many are known makes the oldest go that are not wanted', () => {
    const ids = Array.from({ length: MOST_TARGETS }, (_, index) => `${index}`)
    const full = withTargets(newKeySpace('store', SEALED, 1000), ids)
    const { targets } = withTargets(full, ['0', 'new', 'newer'])
    expect(Object.keys(targets)).toHaveLength(MOST_TARGETS)
    expect(['0', 'new', 'newer'].every((id) => id in targets)).toBe(true)
    expect(['1', '2'].some((id) => id in targets)).toBe(false)
  })

  test('that nobody knows is owed nothing', () => {
    expect(dueNotice(space, 'toString', 1000)).toBeUndefined()
    expect(claimed(space, 'b', 'me', 1000)).toBe(space)
    expect(pendingNotices(space, 'b')).toBe(0)
  })

  test('that is gone is told of nothing more', () => {
    const gone = tried(space, { kind: 'gone' })
    expect(gone.targets.a).toMatchObject({ disabled: true, givenUp: [2], by: '' })
    expect(dueNotice(gone, 'a', Number.MAX_SAFE_INTEGER)).toBeUndefined()
    expect(pendingNotices(gone, 'a')).toBe(0)
  })
})

describe('a claim', () => {
  const mine = claimed(space, 'a', 'me', 1000)

  test('keeps others away until whoever has it must be gone', () => {
    expect(claimOf(mine, 'a', 'me')?.id).toBe(2)
    expect(claimOf(mine, 'a', 'you')).toBeUndefined()
    expect(claimed(mine, 'a', 'you', 1000 + CLAIM_MS - 1)).toBe(mine)
    const yours = claimed(mine, 'a', 'you', 1000 + CLAIM_MS)
    expect(claimOf(yours, 'a', 'you')?.id).toBe(2)
    expect(yours.targets.a?.attempt).toBe(2)
    expect(settled(yours, 'a', 'me', { kind: 'delivered' }, 2000, 0)).toBe(yours)
  })

  test('asked for again after a lost answer is had already, and ends once', () => {
    expect(claimed(mine, 'a', 'me', 1000)).toBe(mine)
    expect(claimed(mine, 'a', 'me', 1000 + CLAIM_MS)).toBe(mine)
    const done = settled(mine, 'a', 'me', { kind: 'delivered' }, 2000, 0)
    expect(settled(done, 'a', 'me', { kind: 'delivered' }, 2000, 0)).toBe(done)
  })

  test('that was broken off costs no try', () => {
    const aborted = settled(mine, 'a', 'me', { kind: 'aborted' }, 2000, 0)
    expect(aborted.targets.a).toEqual(space.targets.a)
  })
})

describe('a try that fails', () => {
  test('is followed by longer and longer pauses, and by none after the fifth', () => {
    let [state, now] = [space, 1000]
    for (const pause of PAUSES_MS) {
      state = tried(state, FAILED, now)
      expect(dueNotice(state, 'a', now + pause - 1)).toBeUndefined()
      now += pause
      expect(dueNotice(state, 'a', now)?.id).toBe(2)
    }
    state = tried(state, FAILED, now)
    expect(state.targets.a).toMatchObject({ done: 2, attempt: 0, givenUp: [2], givenUpCount: 1 })
    expect(dueNotice(state, 'a', now)?.id).toBe(3)
  })

  test('waits up to half as long again, by chance', () => {
    expect(tried(space, FAILED, 1000, 1).targets.a?.next).toBe(1000 + 7500)
  })

  test.for([
    [60_000, 60_000],
    [1, 5000],
    [Number.POSITIVE_INFINITY, LONGEST_PAUSE_MS],
  ] as const)('and asks to wait %i ms waits %i', ([pause, wait]) => {
    expect(tried(space, { ...FAILED, pause }).targets.a?.next).toBe(1000 + wait)
  })

  test('of which nobody knows how it went, as its server crashed, counts too', () => {
    let [state, now] = [space, 1000]
    for (let crash = 0; crash < TRIES; crash++) {
      state = claimed(state, 'a', `${crash}`, now)
      now += CLAIM_MS
    }
    expect(state.targets.a?.attempt).toBe(TRIES)
    state = claimed(state, 'a', 'me', now)
    expect(claimOf(state, 'a', 'me')).toBeUndefined()
    expect(state.targets.a).toMatchObject({ done: 2, givenUp: [2] })
  })

  test('again and again is remembered for the latest 20', () => {
    let [state, now] = [news(space, 30), 1000]
    for (let tries = 0; tries < 32 * TRIES; tries++) {
      state = tried(state, FAILED, now)
      now += LONGEST_PAUSE_MS
    }
    expect(state.targets.a?.givenUp).toHaveLength(MOST_GIVEN_UP)
    expect(state.targets.a?.givenUp.at(-1)).toBe(33)
    expect(state.targets.a?.givenUpCount).toBe(32)
  })
})

/** What became done by a step. */
const doneSince = ({ targets: before }: KeySpace, { targets: after }: KeySpace) =>
  after.a?.done === before.a?.done ? [] : [after.a?.done]

test('whatever happens, a state can be read again, and each event is delivered or given up once', () => {
  const step = fc.record({
    act: fc.constantFrom('news', 'claim', 'settle', 'crash'),
    outcome: fc.constantFrom<Outcome>({ kind: 'delivered' }, { kind: 'aborted' }, FAILED),
    pass: fc.constantFrom(0, 1000, CLAIM_MS, LONGEST_PAUSE_MS),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let [state, now, by] = [space, 1000, 'nobody']
      const ended: (number | undefined)[] = []
      for (const [index, { act, outcome, pass }] of steps.entries()) {
        now += pass
        const before = state
        if (act === 'news') state = news(state)
        if (act === 'claim') {
          by = `${index}`
          state = claimed(state, 'a', by, now)
        }
        if (act === 'settle') state = settled(state, 'a', by, outcome, now, 0.5)
        ended.push(...doneSince(before, state))
        expect(readKeySpace(writeKeySpace(state))).toEqual(state)
      }
      expect(ended).toEqual(ended.map((_, index) => index + 2))
    }),
  )
})
