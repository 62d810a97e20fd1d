import { pino } from 'pino'
import type { Clock } from '../../src/clock.ts'
import { type KeySpace, totals } from '../../src/key-space/key-space.ts'
import { readKeySpace } from '../../src/key-space/key-space-text.ts'
import { Seal } from '../../src/key-space/seal.ts'
import { Dealer } from '../../src/keys/dealer.ts'
import { type Snapshot, type Store, StoreError } from '../../src/stores/store.ts'
import { Recorder } from '../helper.ts'

export const SECRET = 'a secret of more than 32 bytes for tests'

/** What a store does with an operation; the last two change it, and then say something else. */
export type Fault = 'none' | 'fails' | 'is beaten' | 'succeeds but fails' | 'succeeds but was beaten'

/** Time that only tests move. */
class TestClock implements Clock {
  time = 1_000_000
  /** How far `wall` is from the store's clock. */
  skew = 0
  readonly #tasks = new Set<{ every: number; next: number; task: () => void }>()

  now(): number {
    return this.time
  }

  wall(): number {
    return this.time + this.skew
  }

  async sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds
    await Promise.resolve()
  }

  repeat(milliseconds: number, task: () => void): () => void {
    const entry = { every: milliseconds, next: this.time + milliseconds, task }
    this.#tasks.add(entry)
    return () => void this.#tasks.delete(entry)
  }

  /** Lets time pass, with what was to be done meanwhile. */
  pass(milliseconds: number): void {
    this.time += milliseconds
    for (const entry of this.#tasks) {
      if (this.time < entry.next) continue
      entry.next = this.time + entry.every
      entry.task()
    }
  }
}

interface DealerOptions {
  readonly isDead?: () => boolean
  readonly secrets?: [string, ...string[]]
  readonly rotateEvery?: number
}

/** One state that many replicas share, with all that can go wrong. */
export class World {
  readonly clock = new TestClock()
  readonly log = new Recorder()
  state: string | undefined
  writes = 0
  /** What happens to the operations to come, in turn; after them all go well. */
  faults: Fault[] = []
  reads = 0
  /** Waits here before and after each operation. */
  turn: () => Promise<void> = async () => undefined

  get space(): KeySpace {
    return readKeySpace(`${this.state}`)
  }

  totals(length: number) {
    return totals(this.space, length)
  }

  /** A way to the state that goes dead with `isDead`. */
  store(isDead: () => boolean = () => false): Store {
    const act = async <T>(operation: () => T, beaten: T): Promise<T> => {
      await this.turn()
      if (isDead()) return new Promise(() => undefined)
      const fault = this.faults.shift() ?? 'none'
      if (fault === 'fails') throw new StoreError('the store is away')
      if (fault === 'is beaten') return beaten
      const result = operation()
      await this.turn()
      if (isDead()) return new Promise(() => undefined)
      if (fault === 'succeeds but fails') throw new StoreError('the answer was lost')
      return fault === 'succeeds but was beaten' ? beaten : result
    }
    const snapshot = (): Snapshot => {
      this.reads++
      return { state: this.state, version: `${this.writes}`, now: this.clock.time }
    }
    const swap = (version: string, state: string) => {
      if (version !== `${this.writes}`) return false
      this.state = state
      this.writes++
      return true
    }
    return {
      read: () => act<Snapshot>(snapshot, { ...snapshot() }),
      swap: (version, state) => act(() => swap(version, state), false),
      close: async () => undefined,
    }
  }

  dealer({ isDead, secrets = [SECRET], rotateEvery }: DealerOptions = {}): Promise<Dealer> {
    return Dealer.start({
      store: this.store(isDead),
      seal: new Seal(secrets),
      log: pino({}, this.log),
      clock: this.clock,
      ...(rotateEvery !== undefined && { rotateEvery }),
    })
  }
}

/** Deals as the service does: waits for enough keys, then takes all of them at once. */
export async function deal(dealer: Dealer, length: number, count = 1): Promise<string[]> {
  while (!dealer.ready(length, count)) await dealer.more(length, count)
  return Array.from({ length: count }, () =>
    dealer.take(length, (bytes, start, end) => bytes.toString('hex', start, end)),
  )
}
