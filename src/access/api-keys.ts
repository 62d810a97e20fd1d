import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { CHECKSUM_SIZE, checksum } from '../keys/checksum.ts'

/** What a client may be allowed to do. */
export const scopes = ['key', 'key:unique', 'metrics', 'admin'] as const

/** `key:unique` is needed besides `key` for keys of fewer than 16 bytes with `-unique`. */
export type Scope = (typeof scopes)[number]

/** Who calls, by a credential that was good. */
export interface Client {
  readonly id: string
  readonly scopes: ReadonlySet<Scope>
}

/** An entry of the file of API keys. */
export interface ApiKey extends Client {
  /** SHA-256 of the secret. */
  readonly sha256: Buffer
  /** Milliseconds of Unix time from which the key is no good; left out where it is for ever. */
  readonly expires: number | undefined
}

/** Why a credential is no good; `unknown` are also those that were taken out of the file. */
export type CredentialFault = 'malformed' | 'unknown' | 'expired'

const PREFIX = 'ks_'
const SECRET_BYTES = 32
const SECRET_FORM = /^ks_[0-9a-f]{64}[0-9A-Za-z]{6}$/

/** A new secret: `ks_`, 64 hexadecimal digits and the checksum of both, by which a scanner knows a leaked one. */
export function newSecret(): string {
  const secret = PREFIX + randomBytes(SECRET_BYTES).toString('hex')
  return secret + checksum(secret)
}

/** SHA-256 of a secret, as the file holds it: a secret of 256 random bits needs no slower hash. */
export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** The API keys that are good for now. */
export class ApiKeys {
  /** Places are found by a digest that only this process can make, so the time of a look-up tells nothing of a hash. */
  readonly #blind = randomBytes(32)
  readonly #byPlace: ReadonlyMap<string, ApiKey>

  constructor(keys: readonly ApiKey[]) {
    this.#byPlace = new Map(keys.map((key) => [this.#placeOf(key.sha256), key]))
  }

  get size(): number {
    return this.#byPlace.size
  }

  /** Whose `secret` that is at `now`, in milliseconds of Unix time. */
  check(secret: string, now: number): Client | CredentialFault {
    if (!isWellFormed(secret)) return 'malformed'
    const sha256 = hashSecret(secret)
    const key = this.#byPlace.get(this.#placeOf(sha256))
    if (key === undefined || !timingSafeEqual(key.sha256, sha256)) return 'unknown'
    return key.expires !== undefined && now >= key.expires ? 'expired' : key
  }

  #placeOf(sha256: Buffer): string {
    return hash('sha256', Buffer.concat([this.#blind, sha256]), 'base64')
  }
}

function isWellFormed(secret: string): boolean {
  return (
    SECRET_FORM.test(secret) && checksum(secret.slice(0, -CHECKSUM_SIZE)) === secret.slice(-CHECKSUM_SIZE)
  )
}
