import type { FastifyBaseLogger } from 'fastify'
import { KeyspaceFenced, KeyspaceUnavailable, Problem } from '../problems.ts'
import { type Store, StoreError } from '../stores/store.ts'
import type { Clock } from './clock.ts'
import type { UseBytes } from './entropy.ts'
import type { Permute } from './ff1.ts'
import { type KeySpace, type Totals, totals } from './key-space.ts'
import { UnreadableKeySpace } from './key-space-text.ts'
import { type Desk, LengthDealer } from './length-dealer.ts'
import { LONGEST_UNIQUE, permutation } from './permutation.ts'
import { type Seal, WrongSecret } from './seal.ts'
import { type Change, Contended, Fenced, type KnownSpace, SharedSpace } from './shared-space.ts'

/** How often the state is read when nothing else does, so that all learn of a rotation within a minute. */
const READ_EVERY_MS = 10_000

/** Without a good read for this long nothing is dealt: there may have been a rotation. */
const LEASE_LIFE_MS = 60_000

/** What may go wrong with a store; anything else is a defect. */
const expected = [StoreError, Contended, UnreadableKeySpace, WrongSecret]

/** What a dealer is made of. */
export interface DealerParts {
  readonly store: Store
  readonly seal: Seal
  readonly log: FastifyBaseLogger
  readonly clock: Clock
}

interface OpenPeriod {
  readonly storeId: string
  readonly number: number
  readonly seed: Buffer
}

/**
 * Deals the unique keys of one replica, of 1 to 15 bytes, from leases of a space that all replicas share. A caller
 * waits with `more` until it is `ready`, and then takes all it needs before anything else can run.
 */
export class Dealer {
  readonly #parts: DealerParts
  readonly #shared: SharedSpace
  readonly #lengths: readonly LengthDealer[]
  #space: KeySpace | undefined
  #period: OpenPeriod | undefined
  #readAt = Number.NEGATIVE_INFINITY
  /** Whether the secret in force has sealed the period's seed. */
  #sealed = true
  #trouble: string | undefined
  #reading = false
  #skewed = false
  #closed = false
  #stopReading: () => void = () => undefined

  private constructor(parts: DealerParts) {
    this.#parts = parts
    this.#shared = new SharedSpace(parts.store, parts.seal, parts.clock, (known) => this.#know(known))
    const desk: Desk = {
      clock: parts.clock,
      amend: (change, done) => this.#amend(change, done),
      order: (length) => this.#order(length),
    }
    this.#lengths = Array.from({ length: LONGEST_UNIQUE + 1 }, (_, length) => new LengthDealer(length, desk))
  }

  /**
   * Opens the key space, which is made in an empty store. A store that is away for now, or fenced, is no reason not
   * to start.
   * @throws {UnreadableKeySpace} {WrongSecret} {StoreError} for what only an operator can change.
   */
  static async start(parts: DealerParts): Promise<Dealer> {
    const dealer = new Dealer(parts)
    try {
      await dealer.#shared.refresh()
    } catch (error) {
      const passing = error instanceof Fenced || error instanceof Contended
      if (!passing && !(error instanceof StoreError && !error.lasting)) throw error
      dealer.#report(error)
    }
    dealer.#stopReading = parts.clock.repeat(READ_EVERY_MS, () => void dealer.#read())
    return dealer
  }

  /** The number of the period that keys are dealt from; 0 when none can be. */
  get period(): number {
    return this.#period?.number ?? 0
  }

  /** Whether the store has lost what it knew, so that nothing may be dealt before a rotation. */
  get fenced(): boolean {
    return this.#space?.fenced !== undefined
  }

  /** Since the start: leases taken, swaps that others were faster with, operations of the store that failed. */
  get counts(): { leases: number; conflicts: number; errors: number } {
    const leases = this.#lengths.reduce((sum, { leases }) => sum + leases, 0)
    return { leases, ...this.#shared.counts }
  }

  /** What has become of the keys of a length, by the state that was last read; undefined if none was. */
  totals(length: number): Totals | undefined {
    return this.#space && totals(this.#space, length)
  }

  /** Whether `count` keys of `length` bytes can be taken at once. */
  ready(length: number, count: number): boolean {
    return this.#isAlive() && this.#of(length).ready(count)
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
    if (!this.#isAlive()) return new KeyspaceUnavailable()
    return this.#of(length).refusal(count, this.totals(length)?.left ?? Number.POSITIVE_INFINITY)
  }

  /** Hands the next key to `use` and returns what it makes of it: as many times as `ready` has said. */
  take<T>(length: number, use: UseBytes<T>): T {
    return this.#of(length).take(use)
  }

  /** Gives back what was not dealt, and closes the store. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stopReading()
    try {
      await this.#shared.amend((space) => {
        // Only now, because a lease may have been under way.
        this.#abandon()
        return this.#lengths.reduce((rest, dealer) => dealer.returned(rest), space)
      })
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'Unique keys that were leased could not be given back')
    }
    this.#abandon()
    await this.#parts.store.close()
  }

  #of(length: number): LengthDealer {
    return this.#lengths[length] as LengthDealer
  }

  #isAlive(): boolean {
    if (this.#closed || this.#period === undefined) return false
    if (this.#parts.clock.now() - this.#readAt <= LEASE_LIFE_MS) return true
    this.#abandon()
    return false
  }

  #abandon(): void {
    for (const dealer of this.#lengths) dealer.abandon()
  }

  #order(length: number): Permute {
    const { seed, number } = this.#period as OpenPeriod
    return permutation(seed, number, length)
  }

  #know({ space, readAt }: KnownSpace): void {
    this.#isAlive()
    this.#space = space
    const { storeId, period } = space
    const same = this.#period?.storeId === storeId && this.#period.number === period.number
    if (!same || space.fenced !== undefined) {
      this.#period?.seed.fill(0)
      this.#period = undefined
      for (const dealer of this.#lengths) dealer.begin()
    }
    this.#readAt = readAt
    if (this.#period !== undefined || space.fenced !== undefined) return
    const { seed, current } = this.#parts.seal.open(period.seed, storeId, period.number)
    this.#period = { storeId, number: period.number, seed }
    this.#sealed = current
  }

  async #amend(change: Change, done: (space: KeySpace) => void): Promise<void> {
    try {
      await this.#shared.amend(
        (space, now) => this.#resealed(space, change(space, now)),
        (space) => {
          this.#sealed = true
          done(space)
        },
      )
      this.#recover()
    } catch (error) {
      throw this.#report(error)
    }
  }

  /** A changed state, its seed sealed by the secret in force if an old one has opened it. */
  #resealed(space: KeySpace, changed: KeySpace): KeySpace {
    if (this.#sealed || this.#period === undefined || changed === space) return changed
    const { storeId, number, seed } = this.#period
    return { ...changed, period: { ...changed.period, seed: this.#parts.seal.close(seed, storeId, number) } }
  }

  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      await this.#shared.refresh()
      this.#recover()
    } catch (error) {
      this.#report(error)
    } finally {
      this.#reading = false
    }
  }

  #recover(): void {
    const { log } = this.#parts
    if (this.#trouble !== undefined) log.info('Unique keys can be dealt again')
    this.#trouble = undefined
    if (this.#shared.skewed !== this.#skewed) {
      this.#skewed = this.#shared.skewed
      if (this.#skewed)
        log.warn(
          'The clock here and that of the store differ by more than 5 minutes: this server rotates nothing',
        )
      else log.info('The clock here and that of the store agree again')
    }
  }

  /** What a client is told of an error, which is logged when it is another than the one before. */
  #report(error: unknown): unknown {
    if (error instanceof Problem) return error
    const { name, message } = error as Error
    if (this.#trouble !== `${name}: ${message}`)
      this.#parts.log.error({ err: error }, 'Unique keys can not be leased')
    this.#trouble = `${name}: ${message}`
    if (error instanceof Fenced) return new KeyspaceFenced()
    return expected.some((kind) => error instanceof kind) ? new KeyspaceUnavailable() : error
  }
}
