import { latestEvent, type SpaceEvent } from './events.ts'
import type { KeySpace } from './key-space.ts'

/** Receivers that the state keeps; more than all that servers with different settings can have. */
export const MOST_TARGETS = 64

/** Events that a receiver was not told of and that are remembered for people, the latest. */
export const MOST_GIVEN_UP = 20

/** Tries of one notice. */
export const TRIES = 5

/** Pauses after the tries of one notice but the last, in milliseconds: hours in which a receiver can come back. */
export const PAUSES_MS = [5000, 300_000, 1_800_000, 7_200_000]

/** The longest pause that a receiver may ask for. */
export const LONGEST_PAUSE_MS = 86_400_000

/** How long a claim holds without a result: longer than a try may take. */
export const CLAIM_MS = 60_000

/** How far one receiver has been told. */
export interface Target {
  /** Events up to that id are delivered or given up. */
  readonly done: number
  /** Tries that were begun of the event after it. */
  readonly attempt: number
  /** It is not tried before that time by the store's clock. */
  readonly next: number
  /** Who tries it now; empty for nobody. */
  readonly by: string
  /** A claim is void from then on: whoever had it is gone. */
  readonly until: number
  /** Whether it said that it is gone for good. */
  readonly disabled: boolean
  /** Events that were given up, the latest 20, and how many all in all. */
  readonly givenUp: readonly number[]
  readonly givenUpCount: number
}

/** How a try went. `pause` is what the receiver asked to wait, in milliseconds. */
export type Outcome =
  | { readonly kind: 'delivered' | 'gone' | 'aborted' }
  | { readonly kind: 'failed'; readonly reason: string; readonly pause?: number | undefined }

/** The state with those receivers: new ones are told of what happens from now on. */
export function withTargets(space: KeySpace, ids: readonly string[]): KeySpace {
  const missing = ids.filter((id) => space.targets[id] === undefined)
  if (missing.length === 0) return space
  const fresh: Target = {
    done: latestEvent(space),
    attempt: 0,
    next: 0,
    by: '',
    until: 0,
    disabled: false,
    givenUp: [],
    givenUpCount: 0,
  }
  const kept = Object.entries(space.targets)
  const others = kept.filter(([id]) => !ids.includes(id))
  const dropped = new Set(others.slice(0, Math.max(0, kept.length + missing.length - MOST_TARGETS)))
  const targets = kept.filter((entry) => !dropped.has(entry))
  return {
    ...space,
    targets: Object.fromEntries([...targets, ...missing.map((id) => [id, fresh] as const)]),
  }
}

/** The event that a receiver must be told of next, if that can be tried now. */
export function dueNotice(space: KeySpace, id: string, now: number): SpaceEvent | undefined {
  const target = space.targets[id]
  if (target === undefined || target.disabled || now < target.next) return undefined
  if (target.by !== '' && now < target.until) return undefined
  return space.events.find((event) => event.id > target.done)
}

/** How many events a receiver is still to be told of. */
export function pendingNotices(space: KeySpace, id: string): number {
  const target = space.targets[id]
  if (target === undefined || target.disabled) return 0
  return space.events.filter((event) => event.id > target.done).length
}

/**
 * Claims what a receiver must be told of next for `by`, a random name of this try. It is the same state when that
 * name has the claim already, or nothing is due; a notice whose last try ended in a crash is given up.
 */
export function claimed(space: KeySpace, id: string, by: string, now: number): KeySpace {
  const target = space.targets[id]
  const event = dueNotice(space, id, now)
  if (target === undefined || event === undefined || target.by === by) return space
  if (target.attempt >= TRIES) return withTarget(space, id, givenUp(target, event))
  return withTarget(space, id, { ...target, attempt: target.attempt + 1, by, until: now + CLAIM_MS })
}

/** The event that `by` has claimed. */
export function claimOf({ targets, events }: KeySpace, id: string, by: string): SpaceEvent | undefined {
  const target = targets[id]
  return target?.by === by ? events.find((event) => event.id > target.done) : undefined
}

/**
 * Ends the claim of `by` as its try went. It is the same state where that claim is none any more.
 * @param jitter from 0 to 1: how much of a half is added to a pause.
 */
export function settled(
  space: KeySpace,
  id: string,
  by: string,
  outcome: Outcome,
  now: number,
  jitter: number,
): KeySpace {
  const target = space.targets[id]
  const event = claimOf(space, id, by)
  if (target === undefined || event === undefined) return space
  switch (outcome.kind) {
    case 'delivered':
      return withTarget(space, id, told(target, event))
    case 'gone':
      return withTarget(space, id, { ...givenUp(target, event), disabled: true })
    case 'aborted':
      return withTarget(space, id, { ...target, attempt: target.attempt - 1, by: '', until: 0 })
    case 'failed': {
      const pause = PAUSES_MS[target.attempt - 1]
      if (pause === undefined) return withTarget(space, id, givenUp(target, event))
      const wait = Math.max(pause, Math.min(outcome.pause ?? 0, LONGEST_PAUSE_MS))
      const next = now + Math.ceil(wait * (1 + jitter / 2))
      return withTarget(space, id, { ...target, next, by: '', until: 0 })
    }
  }
}

function told(target: Target, event: SpaceEvent): Target {
  return { ...target, done: event.id, attempt: 0, next: 0, by: '', until: 0 }
}

function givenUp(target: Target, event: SpaceEvent): Target {
  return {
    ...told(target, event),
    givenUp: [...target.givenUp, event.id].slice(-MOST_GIVEN_UP),
    givenUpCount: target.givenUpCount + 1,
  }
}

function withTarget(space: KeySpace, id: string, target: Target): KeySpace {
  return { ...space, targets: { ...space.targets, [id]: target } }
}
