import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Bytes of a seed. */
export const SEED_SIZE = 32

const NONCE_SIZE = 12
const TAG_SIZE = 16

/** Thrown when none of the secrets opens a seal. */
export class WrongSecret extends Error {
  override readonly name = 'WrongSecret'

  constructor() {
    super(
      'KEYSPACE_SECRET is not the one that the store was made with: give that one, or both while it is changed',
    )
  }
}

/**
 * Seals the seeds of periods with AES-256-GCM, under keys that HKDF-SHA256 makes of secrets. The first secret seals;
 * each of them opens. A seal holds for one store and period only.
 */
export class Seal {
  readonly #keys: readonly Buffer[]

  /** @param secrets the one in force, then those before it, while they are being changed. */
  constructor(secrets: readonly [string, ...string[]]) {
    this.#keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'key-server seed', 32)))
  }

  /** The nonce, the sealed seed and its tag in base64. */
  close(seed: Uint8Array, storeId: string, period: number): string {
    const nonce = randomBytes(NONCE_SIZE)
    const cipher = createCipheriv('aes-256-gcm', this.#keys[0] as Buffer, nonce)
    cipher.setAAD(context(storeId, period))
    return Buffer.concat([nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()]).toString('base64')
  }

  /**
   * The seed in a seal, and whether the first secret has sealed it.
   * @throws {WrongSecret} when none has, or when it was made for another store or period.
   */
  open(sealed: string, storeId: string, period: number): { seed: Buffer; current: boolean } {
    const bytes = Buffer.from(sealed, 'base64')
    for (const [index, key] of this.#keys.entries()) {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_SIZE), {
        authTagLength: TAG_SIZE,
      })
      decipher.setAAD(context(storeId, period)).setAuthTag(bytes.subarray(-TAG_SIZE))
      const seed = decipher.update(bytes.subarray(NONCE_SIZE, -TAG_SIZE))
      try {
        decipher.final()
        return { seed, current: index === 0 }
      } catch {
        seed.fill(0)
      }
    }
    throw new WrongSecret()
  }
}

function context(storeId: string, period: number): Buffer {
  return Buffer.from(`${storeId} ${period}`)
}
