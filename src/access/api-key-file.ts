import { type ApiKey, type Scope, scopes } from './api-keys.ts'

/** Thrown for a file of API keys that can't be used; the message says what is wrong without any hash. */
export class BadApiKeyFile extends Error {
  override readonly name = 'BadApiKeyFile'
}

/** The form of an id, which log lines and salts hold. */
export const ID_FORM = /^[A-Za-z0-9._-]{1,64}$/

const PROPERTIES = ['id', 'sha256', 'scopes', 'expires']

/**
 * Reads the text of a file of API keys, all of it or nothing.
 * @throws {BadApiKeyFile}
 */
export function readApiKeys(text: string): ApiKey[] {
  const document = parse(text)
  const entries = isObject(document) ? document.keys : undefined
  if (!Array.isArray(entries)) throw new BadApiKeyFile('it must be an object with a list "keys"')
  const keys = entries.map(readEntry)
  refuseTwins(
    'id',
    keys.map(({ id }) => id),
  )
  refuseTwins(
    'sha256',
    keys.map(({ sha256 }) => sha256.toString('hex')),
  )
  return keys
}

/**
 * Reads scopes separated by commas, or a list of them.
 * @throws {BadApiKeyFile}
 */
export function readScopes(names: readonly unknown[], of: string): Set<Scope> {
  const unknown = names.find((name) => !scopes.some((scope) => scope === name))
  if (names.length === 0 || unknown !== undefined) {
    throw new BadApiKeyFile(`${of}: scopes must be some of ${scopes.join(', ')}`)
  }
  return new Set(names as Scope[])
}

/**
 * Reads a day, from its first moment in UTC, or a moment in UTC: `2027-01-31`, `2027-01-31T12:00:00Z`.
 * @returns milliseconds of Unix time.
 * @throws {BadApiKeyFile}
 */
export function readExpiry(text: unknown, of: string): number {
  const isForm = typeof text === 'string' && /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/.test(text)
  const moment = isForm ? Date.parse(text) : Number.NaN
  // V8 takes 31 February for 3 March.
  if (Number.isNaN(moment) || !new Date(moment).toISOString().startsWith(`${text}`.slice(0, 10))) {
    throw new BadApiKeyFile(`${of}: expires must be a time in UTC such as 2027-01-31 or 2027-01-31T12:00:00Z`)
  }
  return moment
}

function readEntry(entry: unknown, index: number): ApiKey {
  const of = `entry ${index + 1}`
  if (!isObject(entry)) throw new BadApiKeyFile(`${of} must be an object`)
  const { id, sha256, scopes: names, expires } = entry
  // A misspelt "expires" would be a key for ever.
  const stray = Object.keys(entry).find((name) => !PROPERTIES.includes(name))
  if (stray !== undefined) {
    throw new BadApiKeyFile(`${of} has a property that is none of ${PROPERTIES.join(', ')}`)
  }
  if (typeof id !== 'string' || !ID_FORM.test(id)) {
    throw new BadApiKeyFile(`${of}: id must be 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-"`)
  }
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new BadApiKeyFile(`${of}: sha256 must be 64 lower-case hexadecimal digits`)
  }
  return {
    id,
    sha256: Buffer.from(sha256, 'hex'),
    scopes: readScopes(Array.isArray(names) ? names : [], of),
    expires: expires === undefined ? undefined : readExpiry(expires, of),
  }
}

function refuseTwins(name: string, values: readonly string[]): void {
  if (new Set(values).size < values.length) throw new BadApiKeyFile(`two entries have the same ${name}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own words would show a piece of the file.
    throw new BadApiKeyFile('it is no whole JSON document')
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
