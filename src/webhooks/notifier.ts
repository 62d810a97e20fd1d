import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.ts'
import type { SpaceEvent } from '../key-space/events.ts'
import type { KeySpace } from '../key-space/key-space.ts'
import { claimed, claimOf, dueNotice, type Outcome, settled, withTargets } from '../key-space/notices.ts'
import type { Change } from '../key-space/shared-space.ts'

/** How often a server looks, at what it knows, whether there is something to tell. */
const LOOK_EVERY_MS = 5000

/** The key space as the notifier needs it. */
interface SharedNews {
  readonly space: KeySpace | undefined
  readonly storeTime: number
  amend(change: Change, done?: (space: KeySpace) => void): Promise<void>
}

/** Sends a message about an event to the receiver of that id. */
export type Send = (receiver: string, message: Message, stop: AbortSignal) => Promise<Outcome>

/** One try. */
export interface Message {
  /** The same in every try of the same event. */
  readonly id: string
  readonly event: SpaceEvent
  /** When it is sent: milliseconds since the epoch by the store's clock. */
  readonly at: number
}

interface NotifierParts {
  readonly news: SharedNews
  /** Ids of the receivers. */
  readonly receivers: readonly string[]
  readonly send: Send
  readonly clock: Clock
  readonly log: FastifyBaseLogger
}

/**
 * Tells receivers of events, one after the other for each. What is to be told and who tells it is in the state that
 * all servers share, so that they take turns and a crash loses nothing.
 */
export class Notifier {
  /** Tries that ended well, and that did not, since the start. */
  readonly counts = { sent: 0, failed: 0 }
  readonly #parts: NotifierParts
  readonly #busy = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  readonly #stopLooking: () => void

  constructor(parts: NotifierParts) {
    this.#parts = parts
    this.#stopLooking = parts.clock.repeat(LOOK_EVERY_MS, () => this.#look())
    this.#look()
  }

  /** Breaks off what is being sent, which is sent again by another server or at the next start. */
  async close(): Promise<void> {
    this.#stopLooking()
    this.#stop.abort()
    await Promise.all(this.#busy.values())
  }

  #look(): void {
    const { news, receivers } = this.#parts
    const { space, storeTime } = news
    if (space === undefined || space.fenced !== undefined) return
    for (const id of receivers) {
      const due = space.targets[id] === undefined || dueNotice(space, id, storeTime) !== undefined
      if (due && !this.#busy.has(id)) this.#busy.set(id, this.#tell(id))
    }
  }

  async #tell(id: string): Promise<void> {
    try {
      let more = true
      while (more && !this.#stop.signal.aborted) more = await this.#tellOne(id)
    } catch (error) {
      // The store is away, which others report too; what is due stays so.
      this.#parts.log.debug({ err: error }, 'Notices wait for the store')
    } finally {
      this.#busy.delete(id)
    }
  }

  /** Whether there may be more to tell. */
  async #tellOne(id: string): Promise<boolean> {
    const { news, receivers, send } = this.#parts
    const by = randomBytes(9).toString('base64url')
    const claim: { message?: Message } = {}
    await news.amend(
      (space, now) => claimed(withTargets(space, receivers), id, by, now),
      (space) => {
        const event = claimOf(space, id, by)
        if (event !== undefined) {
          claim.message = { id: messageId(space, event), event, at: news.storeTime }
        }
      },
    )
    const { message } = claim
    if (message === undefined) return false
    const outcome = await send(id, message, this.#stop.signal)
    await news.amend(
      (space, now) => settled(space, id, by, outcome, now, Math.random()),
      (space) => this.#note(id, message, outcome, space),
    )
    return outcome.kind === 'delivered'
  }

  #note(id: string, { event }: Message, outcome: Outcome, space: KeySpace): void {
    const { log, receivers } = this.#parts
    if (outcome.kind === 'aborted') return
    if (outcome.kind === 'delivered') {
      this.counts.sent++
      return
    }
    this.counts.failed++
    const givenUp = space.targets[id]?.givenUp.includes(event.id) === true
    const reason = outcome.kind === 'failed' ? outcome.reason : 'status 410: it is told of nothing more'
    log.warn(
      { webhook: receivers.indexOf(id) + 1, event: event.id, type: event.type, givenUp },
      `A notice was not taken: ${reason}`,
    )
  }
}

/** Another one for an event of the same number after a backup was restored. */
function messageId({ storeId }: KeySpace, { id, at }: SpaceEvent): string {
  return `msg_${storeId}_${at}_${id}`
}
