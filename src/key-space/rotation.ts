import { DAY_MS } from '../time.ts'
import { type RotationReason, type SpaceEvent, withEvent } from './events.ts'
import { type KeySpace, totals } from './key-space.ts'

/** How long the seed of an ended period is kept, in milliseconds. */
export const GRACE_MS = 3_600_000

/** Days before the end of a period at which clients are told of it, unless the period itself is not longer. */
const NOTICE_DAYS = [1, 7, 14, 30]

/** A length is low when less than this part of its keys is left. */
const LOW_PART = 10

/** A changed state as it is to be stored: with the next revision, and without the seeds whose grace is over. */
export function amended(space: KeySpace, now: number): KeySpace {
  const ended = space.ended.filter(({ endedAt }) => now < endedAt + GRACE_MS)
  return { ...space, ended, revision: space.revision + 1 }
}

/** Begins the next period, with a seed that nothing was dealt from: all keys can come again, and no lease lives. */
export function rotated(
  space: KeySpace,
  seed: string,
  now: number,
  reason: RotationReason = 'requested',
): KeySpace {
  const { fenced: _fenced, period, ended, ...rest } = space
  const every = period.ends?.everyDays
  const ends = every === undefined ? {} : { ends: { everyDays: every, at: now + every * DAY_MS } }
  const next: KeySpace = {
    ...rest,
    period: { number: period.number + 1, seed, startedAt: now, ...ends },
    ended: [...ended, { number: period.number, seed: period.seed, endedAt: now }],
    lengths: {},
  }
  return withEvent(
    next,
    { type: 'rotation.completed', reason, ...(ends.ends && { endsAt: ends.ends.at }) },
    now,
  )
}

/**
 * The state under the policy that a period lasts so many days, 0 for no end. Where the policy is another than
 * before, the end is that many days from the period's start, but a day from now at the least: nobody is surprised.
 */
export function withPolicy(space: KeySpace, everyDays: number, now: number): KeySpace {
  const { ends, ...period } = space.period
  if ((ends?.everyDays ?? 0) === everyDays) return space
  if (everyDays === 0) return { ...space, period }
  const at = Math.max(period.startedAt + everyDays * DAY_MS, now + DAY_MS)
  return { ...space, period: { ...period, ends: { everyDays, at } } }
}

/**
 * The state with all that is due by now: the next period, news, the end of old seeds. It is the same object when
 * nothing is.
 * @param nextSeed makes the sealed seed of the next period; left out where none may be begun.
 */
export function maintained(space: KeySpace, now: number, nextSeed?: () => string): KeySpace {
  const { ends } = space.period
  if (nextSeed !== undefined && ends !== undefined && now >= ends.at) {
    return rotated(space, nextSeed(), now, 'scheduled')
  }
  const told = withLowLengths(withUpcoming(space, now), now)
  const expired = space.ended.some(({ endedAt }) => now >= endedAt + GRACE_MS)
  return told === space && expired ? { ...space } : told
}

/** Of several notices that were missed, as nobody was there to give them, the last one alone is given. */
function withUpcoming(space: KeySpace, now: number): KeySpace {
  const { ends } = space.period
  if (ends === undefined) return space
  const due = (days: number) => days < ends.everyDays && ends.at - now <= days * DAY_MS
  const days = NOTICE_DAYS.find(due)
  if (days === undefined) return space
  const isTold = (event: SpaceEvent) =>
    event.type === 'rotation.upcoming' && event.endsAt === ends.at && event.days <= days
  return newsOf(space).some(isTold)
    ? space
    : withEvent(space, { type: 'rotation.upcoming', days, endsAt: ends.at }, now)
}

function withLowLengths(space: KeySpace, now: number): KeySpace {
  return Object.keys(space.lengths)
    .map(Number)
    .filter((length) => {
      const { left, whole } = totals(space, length)
      return left * LOW_PART < whole
    })
    .filter(
      (length) => !newsOf(space).some((event) => event.type === 'keyspace.low' && event.length === length),
    )
    .reduce((told, length) => withEvent(told, { type: 'keyspace.low', length }, now), space)
}

/** What was told in this period. */
function newsOf({ events, period }: KeySpace): readonly SpaceEvent[] {
  return events.filter((event) => event.period === period.number)
}
