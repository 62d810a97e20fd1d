import type { Permute } from '../permutation/ff1.ts'
import { permutation } from '../permutation/permutation.ts'
import type { KeySpace } from './key-space.ts'
import type { Seal } from './seal.ts'

/** A period whose seed is open, until it is closed. */
export class OpenPeriod {
  readonly number: number
  readonly #seal: Seal
  readonly #storeId: string
  readonly #seed: Buffer
  /** Whether the secret in force has sealed the seed. */
  #current: boolean

  /** Opens the period of a state. @throws {WrongSecret} */
  constructor(seal: Seal, { storeId, period }: KeySpace) {
    const { seed, current } = seal.open(period.seed, storeId, period.number)
    this.number = period.number
    this.#seal = seal
    this.#storeId = storeId
    this.#seed = seed
    this.#current = current
  }

  /** Whether a state is in this period. */
  isOf({ storeId, period }: KeySpace): boolean {
    return storeId === this.#storeId && period.number === this.number
  }

  /** The order in which it deals the keys of a length. */
  order(length: number): Permute {
    return permutation(this.#seed, this.number, length)
  }

  /** A changed state of this period, its seed sealed by the secret in force if an old one has opened it. */
  resealed(changed: KeySpace): KeySpace {
    if (this.#current) return changed
    const seed = this.#seal.close(this.#seed, this.#storeId, this.number)
    return { ...changed, period: { ...changed.period, seed } }
  }

  /** What `resealed` made is stored. */
  stored(): void {
    this.#current = true
  }

  /** Wipes the seed. */
  close(): void {
    this.#seed.fill(0)
  }
}
