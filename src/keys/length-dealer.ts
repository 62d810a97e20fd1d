import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { findLease, type KeySpace, LARGEST_LEASE, leased, released, totals } from '../key-space/key-space.ts'
import type { Change } from '../key-space/shared-space.ts'
import type { Permute } from '../permutation/ff1.ts'
import { KeyspaceExhausted, type Problem } from '../problems/problems.ts'
import type { UseBytes } from './entropy.ts'
import { Hand } from './hand.ts'

const FIRST_LEASE = 16

/** A lease that lasts less than this is followed by one of twice the size. */
const SHORT_MS = 10_000

/** The next lease is fetched when this part of one is left. */
const LOW_PART = 4

/** After a failure the store is left alone for so long, and half as long again at random. */
const REST_MS = 1000

/** What all lengths share. */
export interface Desk {
  readonly clock: Clock
  /** As {@link SharedSpace.amend}; throws what a client may be told. */
  amend(change: Change, done: (space: KeySpace) => void): Promise<void>
  /** The order in which the period that is known deals the keys of a length. */
  order(length: number): Permute
  /** What a client is told of a length that is used up. */
  exhausted(length: number): Problem
}

interface Waiting {
  readonly count: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface Failure {
  readonly error: unknown
  readonly until: number
  /** Keys that can be had all the same. */
  readonly left: number
}

/** Deals the keys of one length from leases, and leases more in good time. */
export class LengthDealer {
  /** Leases taken since the start. */
  leases = 0
  readonly #length: number
  readonly #desk: Desk
  readonly #waiting: Waiting[] = []
  #hand: Hand
  #size = FIRST_LEASE
  #low = 0
  #leasedAt = Number.NEGATIVE_INFINITY
  /** Of a lease that is asked for, until it is in hand. */
  #id: string | undefined
  #leasing = false
  #failure: Failure | undefined
  /** Keys that the state had left when it had too few. */
  #left = 0

  constructor(length: number, desk: Desk) {
    this.#length = length
    this.#desk = desk
    this.#hand = this.#emptyHand()
  }

  /** Whether `count` keys can be taken at once. It leases more when few are left after them. */
  ready(count: number): boolean {
    const after = this.#hand.available - count
    if (after < 0) return false
    if (after <= this.#low && !this.#leasing && !this.#failing) this.#start()
    return true
  }

  /** Waits for more keys, of which others may be first to take some. @throws {Problem} */
  more(count: number): Promise<void> {
    if (this.#failing && this.#isHopeless(count)) return Promise.reject(this.#failure?.error)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ count, resolve, reject })
    if (!this.#leasing) this.#start()
    return promise
  }

  /** Why `count` keys can't be had, with `left` of them that nobody has leased. */
  refusal(count: number, left: number): unknown {
    if (this.#failing && this.#isHopeless(count)) return this.#failure?.error
    return count - this.#hand.available > left ? this.#desk.exhausted(this.#length) : undefined
  }

  take<T>(use: UseBytes<T>): T {
    return this.#hand.take(use)
  }

  /** Begins with the period that is known now, in which the leases there are mean nothing. */
  begin(): void {
    this.#hand.abandon()
    this.#hand = this.#emptyHand()
    this.#leasedAt = Number.NEGATIVE_INFINITY
    this.#failure = undefined
  }

  /** Deals no more of the leases it has. They are given back with the next lease, or by `returned`. */
  abandon(): void {
    this.#hand.abandon()
  }

  /** The state without the leases it does not deal from, one among them that no answer came for. */
  returned(space: KeySpace): KeySpace {
    const lost = this.#id === undefined ? undefined : findLease(space, this.#length, this.#id)
    const rests = lost === undefined ? [] : [[lost[0], lost[2]] as const]
    return [...this.#hand.finished, ...rests].reduce(
      (rest, [id, unused]) => released(rest, this.#length, id, unused),
      space,
    )
  }

  #emptyHand(): Hand {
    return new Hand(this.#length, () => this.#desk.order(this.#length))
  }

  get #failing(): boolean {
    return this.#failure !== undefined && this.#desk.clock.now() < this.#failure.until
  }

  #isHopeless(count: number): boolean {
    return count - this.#hand.available > (this.#failure?.left ?? 0)
  }

  #start(): void {
    this.#leasing = true
    void this.#lease().then(
      () => this.#settle(undefined),
      (error) => this.#settle(error),
    )
  }

  async #lease(): Promise<void> {
    const length = this.#length
    const startedAt = this.#desk.clock.now()
    const size = startedAt - this.#leasedAt < SHORT_MS ? Math.min(this.#size * 2, LARGEST_LEASE) : this.#size
    const id = this.#id ?? randomBytes(9).toString('base64url')
    this.#id = id
    let ended = 0
    const change = (space: KeySpace): KeySpace => {
      if (findLease(space, length, id) !== undefined) return space
      const finished = this.#hand.finished
      ended = finished.length
      const rest = finished.reduce((state, [id, unused]) => released(state, length, id, unused), space)
      const needs = this.#waiting.map(({ count }) => count - this.#hand.available)
      const demand = needs.reduce((sum, need) => sum + Math.max(need, 0), 0)
      const next = leased(rest, {
        length,
        id,
        size,
        demand,
        least: needs.length === 0 ? 1 : Math.min(...needs),
      })
      this.#left = totals(rest, length).left
      if (next === undefined) throw this.#desk.exhausted(length)
      return next
    }
    await this.#desk.amend(change, (space) => {
      const lease = findLease(space, length, id)
      this.#id = undefined
      if (lease === undefined) return
      this.#hand.forget(ended)
      this.#hand.add(lease)
      this.#size = size
      this.#low = Math.floor(lease[2] / LOW_PART)
      this.#leasedAt = startedAt
      this.leases++
    })
  }

  #settle(error: unknown): void {
    this.#leasing = false
    const until = this.#desk.clock.now() + REST_MS * (1 + Math.random() / 2)
    const left = error instanceof KeyspaceExhausted ? this.#left : 0
    this.#failure = error === undefined ? undefined : { error, until, left }
    for (const { count, resolve, reject } of this.#waiting.splice(0)) {
      if (this.#failure !== undefined && this.#isHopeless(count)) reject(error)
      else resolve()
    }
  }
}
