import { randomFillSync } from 'node:crypto'
import { EntropyUnavailable } from '../problems/problems.ts'
import { failedHealthTest, type HealthTest } from './health-tests.ts'

/** Fills a buffer with random bytes; `randomFillSync` is OpenSSL's CSPRNG, seeded by the operating system. */
export type RandomSource = (bytes: Buffer) => void

/** Makes something of `bytes[start, end)`, which is wiped as soon as it returns: it must not keep a view. */
export type UseBytes<T> = (bytes: Buffer, start: number, end: number) => T

/** Bytes drawn and tested at a time. */
export const POOL_SIZE = 8192

/** Requests for more bytes than this go past the pool and its test, which would cost five times the bytes. */
const LARGEST_POOLED = POOL_SIZE / 4

/**
 * Random bytes from a small pool. Each byte is handed out once and wiped; the pool is refilled synchronously,
 * so no two requests share a byte. Every refill must pass the health tests of SP 800-90B.
 */
export class Entropy {
  /** Blocks thrown away since the start, by the health test that each failed or because the source threw. */
  readonly failures: Record<HealthTest | 'source_error', number> = {
    repetition_count: 0,
    adaptive_proportion: 0,
    source_error: 0,
  }
  readonly #pool = Buffer.allocUnsafeSlow(POOL_SIZE)
  readonly #source: RandomSource
  readonly #onChange: (healthy: boolean, error: unknown) => void
  #lastError: unknown
  #next = POOL_SIZE
  #healthy = true

  /** @param onChange hears when the source turns out to fail, with what it threw if it did, and when it is well. */
  constructor(
    source: RandomSource = randomFillSync,
    onChange: (healthy: boolean, error: unknown) => void = () => undefined,
  ) {
    this.#source = source
    this.#onChange = onChange
    this.#refill()
  }

  /** False from the second failing block in a row to the next block that passes. */
  get healthy(): boolean {
    return this.#healthy
  }

  /** Draws and tests one block if the last one failed, and says whether all is well now. */
  recover(): boolean {
    if (!this.#healthy) this.#judge(this.#draw())
    return this.#healthy
  }

  /**
   * Hands `length` fresh bytes to `use`, and returns what it makes of them.
   * @param length a whole number from 1 up, checked by the caller.
   * @throws {EntropyUnavailable} while the source fails its health tests.
   */
  take<T>(length: number, use: UseBytes<T>): T {
    if (!this.recover()) throw new EntropyUnavailable()
    if (length > LARGEST_POOLED) return this.#takeFresh(length, use)
    if (this.#next + length > POOL_SIZE) {
      this.#refill()
      if (!this.#healthy) throw new EntropyUnavailable()
    }
    const start = this.#next
    const end = start + length
    this.#next = end
    try {
      return use(this.#pool, start, end)
    } finally {
      this.#pool.fill(0, start, end)
    }
  }

  #takeFresh<T>(length: number, use: UseBytes<T>): T {
    const bytes = Buffer.allocUnsafeSlow(length)
    if (!this.#fill(bytes)) {
      this.#judge(false)
      throw new EntropyUnavailable()
    }
    try {
      return use(bytes, 0, length)
    } finally {
      bytes.fill(0)
    }
  }

  /** One failing block is thrown away for another; two in a row are a failure of the source. */
  #refill(): void {
    this.#judge(this.#draw() || this.#draw())
  }

  #judge(healthy: boolean): void {
    if (healthy === this.#healthy) return
    this.#healthy = healthy
    this.#onChange(healthy, this.#lastError)
  }

  #draw(): boolean {
    // Until a block has passed, none of the pool may be handed out.
    this.#next = POOL_SIZE
    if (!this.#fill(this.#pool)) return false
    const failed = failedHealthTest(this.#pool)
    if (failed !== undefined) {
      this.failures[failed]++
      this.#pool.fill(0)
      return false
    }
    this.#next = 0
    return true
  }

  #fill(bytes: Buffer): boolean {
    this.#lastError = undefined
    try {
      this.#source(bytes)
      return true
    } catch (error) {
      this.failures.source_error++
      this.#lastError = error
      return false
    }
  }
}
