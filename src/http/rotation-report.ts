import { latestEvent, type SpaceEvent } from '../key-space/events.ts'
import { type KeySpace, totals } from '../key-space/key-space.ts'
import { pendingNotices } from '../key-space/notices.ts'
import { rfc3339 } from '../time.ts'

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

/** What of a key space this server's clients are told. */
export interface ReportedParts {
  readonly lengths: readonly number[]
  /** Ids of those who are sent webhooks, whose URLs stay unsaid. */
  readonly receivers: readonly string[]
}

/** What `GET /rotation` answers, with the events after one. */
export function rotationReport(
  space: KeySpace,
  { lengths, receivers }: ReportedParts,
  since: number,
): object {
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
    webhooks: receivers.map((id, index) => {
      const { disabled = false, givenUp = [] } = space.targets[id] ?? {}
      return { webhook: index + 1, pending: pendingNotices(space, id), disabled, givenUp }
    }),
  }
}
