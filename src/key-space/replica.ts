import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Permute } from '../permutation/ff1.ts'
import { type Store, StoreError } from '../stores/store.ts'
import { rfc3339 } from '../time.ts'
import type { KeySpace } from './key-space.ts'
import { OpenPeriod } from './open-period.ts'
import type { Seal } from './seal.ts'
import { type Change, type KnownSpace, SharedSpace } from './shared-space.ts'
import { Contended, Fenced } from './shared-space-errors.ts'
import { Troubles } from './troubles.ts'

/** How often the state is read when nothing else does, so that all learn of a rotation within a minute. */
const READ_EVERY_MS = 10_000

/** Without a good read for this long nothing is dealt: there may have been a rotation. */
const LEASE_LIFE_MS = 60_000

/** What a replica is made of. */
export interface ReplicaParts {
  readonly store: Store
  readonly seal: Seal
  readonly log: FastifyBaseLogger
  readonly clock: Clock
  /** The policy: days that a period lasts, 0 for no end; what the store has if left out. */
  readonly rotateEvery?: number
}

/** Who deals by what a replica knows. */
interface Listener {
  /** Another period begins, or none is: leases of the last one mean nothing. */
  onPeriod(): void
  /** Too long without a good read: leases must not be dealt from any more. */
  onStale(): void
}

/** What one server knows of the state that all share, which it reads every 10 seconds, and its way to change it. */
export class Replica {
  readonly #parts: ReplicaParts
  readonly #listener: Listener
  readonly #shared: SharedSpace
  readonly #troubles: Troubles
  #space: KeySpace | undefined
  #period: OpenPeriod | undefined
  #expires: string | undefined
  #readAt = Number.NEGATIVE_INFINITY
  /** A policy that is still to be stored. */
  #policy: number | undefined
  #reading = false
  #stopReading: () => void = () => undefined

  constructor(parts: ReplicaParts, listener: Listener) {
    this.#parts = parts
    this.#listener = listener
    this.#policy = parts.rotateEvery
    this.#troubles = new Troubles(parts.log)
    this.#shared = new SharedSpace(parts.store, parts.seal, parts.clock, (known) => this.#know(known))
  }

  /**
   * Opens the key space, which is made in an empty store. A store that is away for now, or fenced, is no reason not
   * to start.
   * @throws {UnreadableKeySpace} {WrongSecret} {StoreError} for what only an operator can change.
   */
  async open(): Promise<void> {
    try {
      await this.#refresh()
    } catch (error) {
      const passing = error instanceof Fenced || error instanceof Contended
      if (!passing && !(error instanceof StoreError && !error.lasting)) throw error
      this.#troubles.report(error)
    }
    this.#stopReading = this.#parts.clock.repeat(READ_EVERY_MS, () => void this.#read())
  }

  /** The state that was last read or written; undefined if none was. */
  get space(): KeySpace | undefined {
    return this.#space
  }

  /** The number of the period that keys are dealt from; 0 when none can be. */
  get period(): number {
    return this.#period?.number ?? 0
  }

  /** When that period ends, in the form of RFC 3339; undefined where nothing says so. */
  get expires(): string | undefined {
    return this.#expires
  }

  /** Whether the store has lost what it knew, so that nothing may be dealt before a rotation. */
  get fenced(): boolean {
    return this.#space?.fenced !== undefined
  }

  /** Whether keys can be dealt by what is known now. */
  isAlive(): boolean {
    if (this.#period === undefined) return false
    if (this.#parts.clock.now() - this.#readAt <= LEASE_LIFE_MS) return true
    this.#listener.onStale()
    return false
  }

  /** Since the start: swaps that others were faster with, operations of the store that failed. */
  get counts(): SharedSpace['counts'] {
    return this.#shared.counts
  }

  /** Milliseconds since the epoch by the store's clock, as far as that is known. */
  get storeTime(): number {
    return this.#shared.storeTime
  }

  /** The order in which the period that is known deals the keys of a length. */
  order(length: number): Permute {
    return (this.#period as OpenPeriod).order(length)
  }

  /** As {@link SharedSpace.amend}; throws what a client may be told. */
  amend(change: Change, done: (space: KeySpace) => void = () => undefined): Promise<void> {
    let changes = false
    return this.#told(() =>
      this.#shared.amend(
        (space, now) => {
          const changed = change(space, now)
          changes = changed !== space
          return changes ? (this.#period?.resealed(changed) ?? changed) : space
        },
        (space) => {
          if (changes) this.#period?.stored()
          done(space)
        },
      ),
    )
  }

  /** As {@link SharedSpace.rotate}; throws what a client may be told. */
  rotate(): Promise<KeySpace> {
    return this.#told(() => this.#shared.rotate())
  }

  /** Reads no more, changes the state a last time, and closes the store. */
  async close(change: Change): Promise<void> {
    this.#stopReading()
    try {
      await this.#shared.amend(change)
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'Unique keys that were leased could not be given back')
    }
    await this.#parts.store.close()
  }

  #know({ space, readAt }: KnownSpace): void {
    // Leases that were stale by now stay so, however good this read is.
    this.isAlive()
    this.#space = space
    if (!this.#period?.isOf(space) || space.fenced !== undefined) {
      this.#period?.close()
      this.#period = undefined
      this.#listener.onPeriod()
    }
    this.#readAt = readAt
    this.#expires = space.period.ends && rfc3339(space.period.ends.at)
    if (space.fenced === undefined) this.#period ??= new OpenPeriod(this.#parts.seal, space)
  }

  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      await this.#refresh()
      this.#troubles.over(this.#shared.skewed)
    } catch (error) {
      this.#troubles.report(error)
    } finally {
      this.#reading = false
    }
  }

  async #refresh(): Promise<void> {
    await this.#shared.refresh(this.#policy)
    this.#policy = undefined
  }

  async #told<T>(operation: () => Promise<T>): Promise<T> {
    try {
      const result = await operation()
      this.#troubles.over(this.#shared.skewed)
      return result
    } catch (error) {
      throw this.#troubles.report(error)
    }
  }
}
