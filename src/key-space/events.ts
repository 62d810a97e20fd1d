import type { KeySpace } from './key-space.ts'

/** Events that the state keeps, the latest; a period makes 20 at most. */
export const MOST_EVENTS = 100

interface Happening {
  /** One more than that of the event before. */
  readonly id: number
  /** Milliseconds since the epoch by the store's clock. */
  readonly at: number
  /** The period in which it happened. */
  readonly period: number
}

/** What clients are told of: an end in so many days, a period that has begun, or a length with few keys left. */
export type SpaceEvent = Happening &
  (
    | { readonly type: 'rotation.upcoming'; readonly days: number; readonly endsAt: number }
    | {
        readonly type: 'rotation.completed'
        readonly reason: RotationReason
        readonly endsAt?: number | undefined
      }
    | { readonly type: 'keyspace.low'; readonly length: number }
  )

/** Whether a period ended as its policy says, or because somebody asked for it. */
export type RotationReason = 'scheduled' | 'requested'

/** An event without what all have. */
export type News = SpaceEvent extends infer Event
  ? Event extends SpaceEvent
    ? Omit<Event, keyof Happening>
    : never
  : never

/** The id of the latest event, or 0. */
export function latestEvent({ events }: KeySpace): number {
  return events.at(-1)?.id ?? 0
}

/** The state with one event more. */
export function withEvent(space: KeySpace, news: News, now: number): KeySpace {
  const event = { id: latestEvent(space) + 1, at: now, period: space.period.number, ...news } as SpaceEvent
  return { ...space, events: [...space.events, event].slice(-MOST_EVENTS) }
}
