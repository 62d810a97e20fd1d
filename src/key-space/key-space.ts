import type { SpaceEvent } from './events.ts'
import type { Target } from './notices.ts'
import { dropSmallest, freed, type Range, sumOf, withoutLargest } from './ranges.ts'

/** Free ranges that a length keeps; the smallest of more are given up as lost. */
export const MOST_FREE_RANGES = 64

/** Leases that a length keeps open; the oldest of more are given up as lost. */
export const MOST_LEASES = 1000

/** The most keys of one lease. */
export const LARGEST_LEASE = 1_000_000

/** A lease takes at most this part of what is left, so that crashes can't empty a small space. */
const LEASE_PART = 256

/** Numbers that one replica alone deals, in their order: its id, the first, and how many. */
export type Lease = readonly [id: string, first: number, count: number]

/** What has become of the numbers of one length: those below the mark are free, leased, lost or used. */
export interface LengthSpace {
  /** All numbers from here on are untouched. It is stored before a number of a lease is dealt. */
  readonly mark: number
  /** Given back: ascending, with gaps between them. */
  readonly free: readonly Range[]
  /** The oldest first. */
  readonly leases: readonly Lease[]
  /** How many numbers nobody can account for any more. */
  readonly lost: number
}

/** A stretch of time in which no key comes twice. */
interface Period {
  /** 1 for the first. */
  readonly number: number
  /** 32 random bytes, sealed: see seal.ts. */
  readonly seed: string
  /** Milliseconds since the epoch by the store's clock. */
  readonly startedAt: number
  /** Left out where only a request ends it. */
  readonly ends?: { readonly everyDays: number; readonly at: number }
}

/** A period that is over. */
interface EndedPeriod {
  readonly number: number
  readonly seed: string
  readonly endedAt: number
}

/** All that is stored of unique keys. It holds no key, and nothing that tells one without the secret. */
export interface KeySpace {
  /** Random: tells this store's history from any other's. */
  readonly storeId: string
  /** One more with every change. */
  readonly revision: number
  /** Why no key may be dealt before the next rotation. */
  readonly fenced?: string
  readonly period: Period
  readonly ended: readonly EndedPeriod[]
  /** By length in bytes; one that is not there is untouched. */
  readonly lengths: Readonly<Record<string, LengthSpace>>
  /** The oldest first. */
  readonly events: readonly SpaceEvent[]
  /** Receivers of events, by their id. */
  readonly targets: Readonly<Record<string, Target>>
}

/** What has become of all keys of one length; `whole` is the sum of the others. */
export interface Totals {
  readonly whole: number
  readonly used: number
  readonly left: number
  readonly lost: number
  readonly leased: number
}

/** What a replica asks for. */
export interface LeaseWish {
  readonly length: number
  /** Random: by it the replica finds the lease again after an answer that was lost. */
  readonly id: string
  /** Keys it would like to have in hand. */
  readonly size: number
  /** Keys that its clients wait for: more than its part of what is left, if need be. */
  readonly demand: number
  /** With fewer keys left than these it serves nobody, and takes none. */
  readonly least: number
}

const UNTOUCHED: LengthSpace = { mark: 0, free: [], leases: [], lost: 0 }

/**
 * Keys of one length that a period can deal: all there are, up to what a double holds exactly; a million keys a
 * second use up those of 7 bytes and more in 285 years.
 */
export function wholeOf(length: number): number {
  return Math.min(256 ** length, Number.MAX_SAFE_INTEGER)
}

/** A store's first state. */
export function newKeySpace(storeId: string, seed: string, now: number): KeySpace {
  return {
    storeId,
    revision: 1,
    period: { number: 1, seed, startedAt: now },
    ended: [],
    lengths: {},
    events: [],
    targets: {},
  }
}

/** What has become of the keys of `length` bytes. */
export function totals(space: KeySpace, length: number): Totals {
  const { mark, free, leases, lost } = lengthOf(space, length)
  const whole = wholeOf(length)
  const unused = sumOf(free)
  const leased = leases.reduce((sum, [, , count]) => sum + count, 0)
  return { whole, used: mark - unused - leased - lost, left: whole - mark + unused, lost, leased }
}

/** The open lease of that id. */
export function findLease(space: KeySpace, length: number, id: string): Lease | undefined {
  return lengthOf(space, length).leases.find(([other]) => other === id)
}

/** Leases numbers of one length, those that were given back first; undefined when fewer than `least` are left. */
export function leased(space: KeySpace, wish: LeaseWish): KeySpace | undefined {
  const { length, id, demand, least } = wish
  const { left } = totals(space, length)
  if (left < Math.max(least, 1)) return undefined
  const part = Math.min(wish.size, LARGEST_LEASE, Math.floor(left / LEASE_PART))
  const size = Math.max(part, Math.min(demand, LARGEST_LEASE), 1)
  const before = lengthOf(space, length)
  const [[first, count], rest] =
    before.free.length > 0 ? withoutLargest(before.free, size) : fresh(before, size, length)
  const leases = [...before.leases, [id, first, count] as const]
  const folded = leases.slice(0, -MOST_LEASES)
  return withLength(space, length, {
    mark: Math.max(before.mark, first + count),
    free: rest,
    leases: leases.slice(-MOST_LEASES),
    lost: folded.reduce((sum, [, , given]) => sum + given, before.lost),
  })
}

/**
 * Ends a lease of which the last `unused` numbers were not dealt: they are free again. A lease that is not there
 * (ended before, or given up as lost) changes nothing.
 */
export function released(space: KeySpace, length: number, id: string, unused: number): KeySpace {
  const lease = findLease(space, length, id)
  if (lease === undefined) return space
  const [, first, count] = lease
  const before = lengthOf(space, length)
  const [free, dropped] = dropSmallest(freed(before.free, [first + count - unused, unused]), MOST_FREE_RANGES)
  return withLength(space, length, {
    ...before,
    free,
    leases: before.leases.filter((other) => other !== lease),
    lost: before.lost + dropped,
  })
}

/** Stops all replicas until the next rotation. `seen` is the highest revision that anybody remembers. */
export function fenced(space: KeySpace, reason: string, seen: number): KeySpace {
  return { ...space, fenced: reason, revision: Math.max(space.revision, seen) }
}

function lengthOf(space: KeySpace, length: number): LengthSpace {
  return space.lengths[length] ?? UNTOUCHED
}

function withLength(space: KeySpace, length: number, changed: LengthSpace): KeySpace {
  return { ...space, lengths: { ...space.lengths, [length]: changed } }
}

function fresh({ mark, free }: LengthSpace, size: number, length: number): [Range, readonly Range[]] {
  return [[mark, Math.min(size, wholeOf(length) - mark)], free]
}
