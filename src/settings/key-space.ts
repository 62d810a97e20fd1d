import type { Config } from '../schemas/settings.ts'
import { readLocation } from '../stores/location.ts'
import { LEAST_SECRET_BYTES } from '../stores/secret.ts'

/** What is wrong with the place of the store, in a sentence without secrets. */
export function storeProblems(config: Config): string[] {
  const location = locationOf(config)
  return typeof location === 'string' ? [`-store (STORE) ${location}`] : []
}

/** What is wrong with the settings of `-unique`, in sentences without secrets, besides what was `found` already. */
export function keySpaceProblems(config: Config, found: readonly string[]): string[] {
  const { keyspaceSecret, keyspaceOldSecret } = config
  const problems = storeProblems(config)
  const secrets = { KEYSPACE_SECRET: keyspaceSecret, KEYSPACE_OLD_SECRET: keyspaceOldSecret }
  for (const [variable, secret] of Object.entries(secrets)) {
    if (secret === undefined || Buffer.byteLength(secret) >= LEAST_SECRET_BYTES) continue
    problems.push(
      `${variable} must have at least ${LEAST_SECRET_BYTES} bytes, not ${Buffer.byteLength(secret)}`,
    )
  }
  if (keyspaceSecret !== undefined || found.some((problem) => problem.includes('KEYSPACE_SECRET')))
    return problems
  const location = locationOf(config)
  if (typeof location === 'object' && location.kind !== 'file') {
    problems.push(
      `a ${location.kind} store needs KEYSPACE_SECRET or KEYSPACE_SECRET_FILE: at least ${LEAST_SECRET_BYTES} random bytes, the same for every server on that store`,
    )
  } else if (keyspaceOldSecret !== undefined) {
    problems.push('KEYSPACE_OLD_SECRET needs KEYSPACE_SECRET, the new one')
  }
  return problems
}

/** A value with a problem of its own is undefined here, as its location is then. */
function locationOf({ store }: { readonly store?: string }) {
  return store === undefined ? undefined : readLocation(store)
}
