import { randomFillSync } from 'node:crypto'
import { EntropyUnavailable } from '../problems.ts'
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
  /** Blocks thrown away since the start, by the health test that each failed. */
  readonly failures: Record<HealthTest, number> = { repetition_count: 0, adaptive_proportion: 0 }
  readonly #pool = Buffer.allocUnsafeSlow(POOL_SIZE)
  readonly #source: RandomSource
  #next = POOL_SIZE
  #healthy = true

  constructor(source: RandomSource = randomFillSync) {
    this.#source = source
    this.#refill()
  }

  /** False from the second failing block in a row to the next block that passes. */
  get healthy(): boolean {
    return this.#healthy
  }

  /** Draws and tests one block if the last one failed, and says whether all is well now. */
  recover(): boolean {
    if (!this.#healthy) this.#healthy = this.#draw()
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
    this.#source(bytes)
    try {
      return use(bytes, 0, length)
    } finally {
      bytes.fill(0)
    }
  }

  /** One failing block is thrown away for another; two in a row are a failure of the source. */
  #refill(): void {
    this.#healthy = this.#draw() || this.#draw()
  }

  #draw(): boolean {
    this.#source(this.#pool)
    const failed = failedHealthTest(this.#pool)
    if (failed === undefined) {
      this.#next = 0
      return true
    }
    this.failures[failed]++
    this.#pool.fill(0)
    this.#next = POOL_SIZE
    return false
  }
}
