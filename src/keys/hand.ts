import type { Lease } from '../key-space/key-space.ts'
import type { Permute } from '../permutation/ff1.ts'
import type { UseBytes } from './entropy.ts'

/** Keys made ahead, each of which is wiped as soon as it is dealt. */
const BATCH = 256

/** A lease to be ended: its id, and how many numbers at its end were not dealt. */
export type Rest = readonly [id: string, unused: number]

/** A lease that is dealt from, as long as it has a number. */
interface OpenLease {
  readonly id: string
  next: number
  readonly end: number
}

/** The leases of one length that a replica deals from, one after the other. */
export class Hand {
  readonly length: number
  /** Keys that can be dealt at once. */
  available = 0
  readonly #order: () => Permute
  readonly #pool: Buffer
  readonly #leases: OpenLease[] = []
  readonly #finished: Rest[] = []
  #permute: Permute | undefined
  #at = 0
  #end = 0

  /** @param order makes the order of dealing, which may take milliseconds, when it is needed. */
  constructor(length: number, order: () => Permute) {
    this.length = length
    this.#order = order
    this.#pool = Buffer.allocUnsafeSlow(BATCH * length)
  }

  add([id, first, count]: Lease): void {
    this.#leases.push({ id, next: first, end: first + count })
    this.available += count
  }

  /** Hands the next key to `use`, and returns what it makes of it. The caller has seen that one is available. */
  take<T>(use: UseBytes<T>): T {
    const lease = this.#leases[0]
    if (lease === undefined) throw new Error('there is no lease to deal from')
    if (this.#at === this.#end) this.#fill(lease)
    const start = this.#at
    const end = start + this.length
    this.#at = end
    this.available--
    if (++lease.next === lease.end) {
      this.#leases.shift()
      this.#finished.push([lease.id, 0])
    }
    try {
      return use(this.#pool, start, end)
    } finally {
      this.#pool.fill(0, start, end)
    }
  }

  /** Leases that are not dealt from any more. */
  get finished(): readonly Rest[] {
    return [...this.#finished]
  }

  /** Forgets the first finished leases, which were ended. */
  forget(ended: number): void {
    this.#finished.splice(0, ended)
  }

  /** Deals no more of what it has: all becomes finished, with what is left of it. */
  abandon(): void {
    this.#finished.push(...this.#leases.splice(0).map(({ id, next, end }): Rest => [id, end - next]))
    this.#wipe()
  }

  #wipe(): void {
    this.available = 0
    this.#at = 0
    this.#end = 0
    this.#pool.fill(0)
  }

  #fill(lease: OpenLease): void {
    this.#at = 0
    this.#end = Math.min(BATCH, lease.end - lease.next) * this.length
    this.#permute ??= this.#order()
    this.#permute(lease.next, this.#pool.subarray(0, this.#end))
  }
}
