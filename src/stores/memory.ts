import { setImmediate as immediate } from 'node:timers/promises'
import type { Snapshot, Store } from './store.ts'

/** A store that ends with the process: for tests and the self-test. */
export class MemoryStore implements Store {
  #state: string | undefined
  #writes = 0

  async read(): Promise<Snapshot> {
    await immediate()
    return { state: this.#state, version: String(this.#writes), now: Date.now() }
  }

  async swap(version: string, state: string): Promise<boolean> {
    await immediate()
    if (version !== String(this.#writes)) return false
    this.#state = state
    this.#writes++
    return true
  }

  async close(): Promise<void> {
    await immediate()
  }
}
