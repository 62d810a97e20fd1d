import { type Totals, totals } from '../key-space/key-space.ts'
import { Replica, type ReplicaParts } from '../key-space/replica.ts'
import { LONGEST_UNIQUE } from '../permutation/permutation.ts'
import { KeyspaceExhausted, KeyspaceFenced, KeyspaceUnavailable, type Problem } from '../problems/problems.ts'
import type { UseBytes } from './entropy.ts'
import { type Desk, LengthDealer } from './length-dealer.ts'

/**
 * Deals the unique keys of one replica, of 1 to 15 bytes, from leases of a space that all replicas share. A caller
 * waits with `more` until it is `ready`, and then takes all it needs before anything else can run.
 */
export class Dealer {
  /** What this server knows of the space. */
  readonly replica: Replica
  readonly #lengths: readonly LengthDealer[]
  #closed = false

  private constructor(parts: ReplicaParts) {
    this.replica = new Replica(parts, {
      onPeriod: () => this.#each((dealer) => dealer.begin()),
      onStale: () => this.#each((dealer) => dealer.abandon()),
    })
    const desk: Desk = {
      clock: parts.clock,
      amend: (change, done) => this.replica.amend(change, done),
      order: (length) => this.replica.order(length),
      exhausted: (length) => this.#exhausted(length),
    }
    this.#lengths = Array.from({ length: LONGEST_UNIQUE + 1 }, (_, length) => new LengthDealer(length, desk))
  }

  /** A dealer whose replica is open. @throws what {@link Replica.open} throws. */
  static async start(parts: ReplicaParts): Promise<Dealer> {
    const dealer = new Dealer(parts)
    await dealer.replica.open()
    return dealer
  }

  /** The number of the period that keys are dealt from; 0 when none can be. */
  get period(): number {
    return this.replica.period
  }

  /** When the period ends, in the form of RFC 3339; undefined where nothing says so. */
  get expires(): string | undefined {
    return this.replica.expires
  }

  /** Whether the store has lost what it knew, so that nothing may be dealt before a rotation. */
  get fenced(): boolean {
    return this.replica.fenced
  }

  /** Since the start: leases taken, swaps that others were faster with, operations of the store that failed. */
  get counts(): { leases: number; conflicts: number; errors: number } {
    const leases = this.#lengths.reduce((sum, { leases }) => sum + leases, 0)
    return { leases, ...this.replica.counts }
  }

  /** What has become of the keys of a length, by the state that was last read; undefined if none was. */
  totals(length: number): Totals | undefined {
    return this.replica.space && totals(this.replica.space, length)
  }

  /** Whether `count` keys of `length` bytes can be taken at once. */
  ready(length: number, count: number): boolean {
    return !this.#closed && this.replica.isAlive() && this.#of(length).ready(count)
  }

  /**
   * Waits for more keys of `length` bytes, of which other callers may be first to take some.
   * @throws {KeyspaceExhausted} when fewer than `count` are left in the period.
   * @throws {KeyspaceUnavailable} {KeyspaceFenced}
   */
  async more(length: number, count: number): Promise<void> {
    if (this.#closed) throw new KeyspaceUnavailable()
    await this.#of(length).more(count)
  }

  /** Why `count` keys would be refused, as far as that can be told without asking the store or taking a key. */
  refusal(length: number, count: number): unknown {
    if (this.fenced) return new KeyspaceFenced()
    if (this.#closed || !this.replica.isAlive()) return new KeyspaceUnavailable()
    return this.#of(length).refusal(count, this.totals(length)?.left ?? Number.POSITIVE_INFINITY)
  }

  /** Hands the next key to `use` and returns what it makes of it: as many times as `ready` has said. */
  take<T>(length: number, use: UseBytes<T>): T {
    return this.#of(length).take(use)
  }

  /** Gives back what was not dealt, and closes the store. */
  async close(): Promise<void> {
    this.#closed = true
    await this.replica.close((space) => {
      // Only now, because a lease may have been under way.
      this.#each((dealer) => dealer.abandon())
      return this.#lengths.reduce((rest, dealer) => dealer.returned(rest), space)
    })
    this.#each((dealer) => dealer.abandon())
  }

  #of(length: number): LengthDealer {
    return this.#lengths[length] as LengthDealer
  }

  #each(act: (dealer: LengthDealer) => void): void {
    for (const dealer of this.#lengths) act(dealer)
  }

  /** Says that a length is used up, and when it will not be any more. */
  #exhausted(length: number): Problem {
    const problem = new KeyspaceExhausted(length)
    const { space, storeTime } = this.replica
    const ends = space?.period.ends
    if (ends === undefined) return problem
    const seconds = Math.max(1, Math.ceil((ends.at - storeTime) / 1000))
    return Object.assign(problem, { headers: { 'retry-after': String(seconds) } })
  }
}
