import { createHash, hkdfSync } from 'node:crypto'
import type { Entropy, UseBytes } from './entropy.ts'

/** The longest key that HKDF-SHA-512 makes (RFC 5869, section 2.3): 255 times its hash. */
export const LONGEST_SALTED = 255 * 64

/** Fresh random bytes that each key is made of: as many as the hash can hold. */
const INPUT_SIZE = 64

/** Bits of entropy that a key can have: it can't be harder to guess than what it is made of. */
export const MOST_SALTED_BITS = INPUT_SIZE * 8

/** What tells this use of HKDF from any other. */
const PRODUCT = 'key-server salted key'

/** Keys of one caller: made of fresh randomness, by a derivation that no other fields share. */
export class SaltedEntropy {
  readonly mostEntropyBits = MOST_SALTED_BITS
  readonly #entropy: Entropy
  readonly #fields: readonly Uint8Array[]

  /** @param fields who the caller is, in the order of the setting; one that is missing is empty. */
  constructor(entropy: Entropy, fields: readonly Uint8Array[]) {
    this.#entropy = entropy
    this.#fields = fields
  }

  /**
   * Hands a key of `length` bytes, at most {@link LONGEST_SALTED}, to `use`, and returns what it makes of it.
   * @throws {EntropyUnavailable}
   */
  take<T>(length: number, use: UseBytes<T>): T {
    const info = saltInfo(length, this.#fields)
    const key = this.#entropy.take(INPUT_SIZE, (bytes, start, end) =>
      hkdfSha512(bytes.subarray(start, end), info, length),
    )
    try {
      return use(key, 0, length)
    } finally {
      key.fill(0)
    }
  }
}

/** HKDF-SHA-512 of RFC 5869 without a salt, as its input is random already (section 3.1). */
export function hkdfSha512(input: Uint8Array, info: Uint8Array, length: number): Buffer {
  return Buffer.from(hkdfSync('sha512', input, '', info, length))
}

/**
 * The `info` of a derivation: SHA-512 of the product, the length of the key and the fields, each after its own
 * length, so that no other fields give the same. A hash, because OpenSSL refuses one of more than 1,024 bytes.
 */
export function saltInfo(length: number, fields: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512')
  for (const part of [Buffer.from(PRODUCT), sizeOf(length), ...fields]) {
    hash.update(sizeOf(part.length)).update(part)
  }
  return hash.digest()
}

function sizeOf(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
