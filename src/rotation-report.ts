import type { SpaceEvent } from './keys/events.ts'
import { latestEvent } from './keys/events.ts'
import { type KeySpace, totals } from './keys/key-space.ts'
import { rfc3339 } from './keys/time.ts'

/** An event as clients read it, in the form that Standard Webhooks recommends for its payload. */
export interface PublicEvent {
  readonly type: SpaceEvent['type']
  readonly timestamp: string
  readonly data: Readonly<Record<string, string | number>>
}

/** An event without its id. */
export function publicEvent({ type, at, ...event }: SpaceEvent): PublicEvent {
  const { id: _id, endsAt, ...data } = event as Omit<SpaceEvent, 'type' | 'at'> & { endsAt?: number }
  return {
    type,
    timestamp: rfc3339(at),
    data: { ...data, ...(endsAt !== undefined && { endsAt: rfc3339(endsAt) }) },
  }
}

/** What `GET /rotation` answers: the policy, the period, keys of those lengths, and the events after one. */
export function rotationReport(space: KeySpace, lengths: readonly number[], since: number): object {
  const { number, startedAt, ends } = space.period
  return {
    policy: { rotateEveryDays: ends?.everyDays ?? 0 },
    period: number,
    startedAt: rfc3339(startedAt),
    endsAt: ends === undefined ? null : rfc3339(ends.at),
    fenced: space.fenced !== undefined,
    lengths: lengths.map((length) => {
      const { used, left, lost, leased } = totals(space, length)
      return { length, used, left, lost, leased }
    }),
    latestEvent: latestEvent(space),
    events: space.events
      .filter(({ id }) => id > since)
      .map((event) => ({ id: event.id, ...publicEvent(event) })),
  }
}
