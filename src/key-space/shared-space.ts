import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type Store, StoreError } from '../stores/store.ts'
import { fenced, type KeySpace, newKeySpace } from './key-space.ts'
import { readKeySpace, writeKeySpace } from './key-space-text.ts'
import { regression } from './regression.ts'
import { amended, maintained, rotated, withPolicy } from './rotation.ts'
import { SEED_SIZE, type Seal } from './seal.ts'
import { Contended, Fenced } from './shared-space-errors.ts'

/** How far a replica's clock may be from the store's, in milliseconds. */
const MOST_SKEW_MS = 300_000

/** Tries of one change, for when somebody else is first or the store fails. */
const TRIES = 20
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 500

/** How long a store that fails is asked again for one change. */
const PATIENCE_MS = 2000

/** A state that was read or written. */
export interface KnownSpace {
  readonly space: KeySpace
  /** When the read that it comes from began, by the clock's `now`. */
  readonly readAt: number
}

/** Makes the next state of the one that is stored, or returns that very one for no change. */
export type Change = (space: KeySpace, now: number) => KeySpace

/**
 * One replica's way to the state that all share. Its operations run one after the other, so that what it sees never
 * seems to go back; a store that does go back is fenced for all.
 */
export class SharedSpace {
  /** Swaps that somebody else was faster with, and operations of the store that failed. */
  readonly counts = { conflicts: 0, errors: 0 }
  readonly #store: Store
  readonly #seal: Seal
  readonly #clock: Clock
  readonly #onKnown: (known: KnownSpace) => void
  #known: KeySpace | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #skew = 0

  /** @param onKnown hears of each state that was read or written, before anything else is done with it. */
  constructor(
    store: Store,
    seal: Seal,
    clock: Clock,
    onKnown: (known: KnownSpace) => void = () => undefined,
  ) {
    this.#store = store
    this.#seal = seal
    this.#clock = clock
    this.#onKnown = onKnown
  }

  /** Whether the clock here and the store's are too far apart to judge by them whether a rotation is due. */
  get skewed(): boolean {
    return Math.abs(this.#skew) > MOST_SKEW_MS
  }

  /** Milliseconds since the epoch by the store's clock, as far as that is known. */
  get storeTime(): number {
    return this.#clock.wall() + this.#skew
  }

  /**
   * Reads the state, and does what is due: a rotation, news, the end of old seeds.
   * @param rotateEvery a new policy: days that a period lasts, 0 for no end.
   * @throws what {@link amend} throws.
   */
  refresh(rotateEvery?: number): Promise<void> {
    return this.amend((space, now) => {
      const settled = rotateEvery === undefined ? space : withPolicy(space, rotateEvery, now)
      return maintained(settled, now, this.skewed ? undefined : () => this.#nextSeed(space))
    })
  }

  /**
   * Changes the state. `change` may run several times, each time on what is stored then, and its result may have
   * been stored although no answer said so: it must look for what it has done already. `done` is called with what
   * is stored at last, before any other operation begins.
   * @throws {StoreError} {Fenced} {Contended} {UnreadableKeySpace}, and what `change` and `onKnown` throw.
   */
  amend(change: Change, done: (space: KeySpace) => void = () => undefined): Promise<void> {
    return this.#inTurn(async () => {
      const stored = await this.#change((space, now) => {
        if (space.fenced !== undefined) throw new Fenced(space.fenced)
        return change(space, now)
      })
      done(stored)
    })
  }

  /**
   * Begins a new period, which ends a fence too. Where somebody else has begun one since the state was last seen
   * here, that one is enough.
   * @returns what is stored then.
   * @throws what {@link amend} throws, but for Fenced. {WrongSecret}
   */
  rotate(): Promise<KeySpace> {
    let ended = this.#known && idOf(this.#known)
    return this.#inTurn(() =>
      this.#change((space, now) => {
        const { storeId, number } = idOf(space)
        if (ended?.storeId !== storeId || number < ended.number) ended = { storeId, number }
        if (number > ended.number) return space
        // A secret that does not open this seed would seal the next one so that nobody else could open it.
        this.#seal.open(space.period.seed, storeId, number).seed.fill(0)
        return rotated(space, this.#nextSeed(space), now)
      }),
    )
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task)
    this.#queue = result.catch(() => undefined)
    return result
  }

  async #change(change: Change): Promise<KeySpace> {
    const deadline = this.#clock.now() + PATIENCE_MS
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        const stored = await this.#try(change)
        if (stored !== undefined) return stored
        this.counts.conflicts++
        await this.#pause(tries)
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        this.counts.errors++
        const asked = (error.retryAfter ?? 0) * 1000
        if (error.lasting || this.#clock.now() + asked >= deadline) throw error
        await this.#pause(tries, asked)
      }
    }
    throw new Contended(`the state changed under each of ${TRIES} tries`)
  }

  /** What is stored after a change, or undefined if somebody else was first. */
  async #try(change: Change): Promise<KeySpace | undefined> {
    const readAt = this.#clock.now()
    const { state, version, now: exactly } = await this.#store.read()
    const now = Math.floor(exactly)
    this.#skew = now - this.#clock.wall()
    const space = state === undefined ? this.#first(now) : readKeySpace(state)
    const known = this.#known
    const reason = known && regression(known, space, state === undefined)
    if (reason !== undefined) {
      const stopped = amended(fenced(space, reason, known?.revision ?? 0), now)
      // Nothing is dealt from now on, even if this can't be written.
      this.#onKnown({ space: stopped, readAt })
      await this.#store.swap(version, writeKeySpace(stopped))
      return this.#try(change)
    }
    if (state !== undefined) this.#know(space, readAt)
    const next = change(space, now)
    if (next === space && state !== undefined) return space
    const stored = amended(next, now)
    if (!(await this.#store.swap(version, writeKeySpace(stored)))) return undefined
    this.#know(stored, readAt)
    return stored
  }

  #nextSeed({ storeId, period }: KeySpace): string {
    return this.#seal.close(randomBytes(SEED_SIZE), storeId, period.number + 1)
  }

  #first(now: number): KeySpace {
    const storeId = randomBytes(12).toString('base64url')
    return newKeySpace(storeId, this.#seal.close(randomBytes(SEED_SIZE), storeId, 1), now)
  }

  #know(space: KeySpace, readAt: number): void {
    this.#known = space
    this.#onKnown({ space, readAt })
  }

  /** Waits for a random time, which grows with the tries, so that replicas get out of each other's way. */
  async #pause(tries: number, least = 0): Promise<void> {
    const most = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS)
    await this.#clock.sleep(least + most * Math.random())
  }
}

function idOf({ storeId, period: { number } }: KeySpace): { storeId: string; number: number } {
  return { storeId, number }
}
