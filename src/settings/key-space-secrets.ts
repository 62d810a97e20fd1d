import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../schemas/settings.ts'
import { readLocation } from '../stores/location.ts'
import { secretBeside } from '../stores/secret.ts'
import { type Snapshot, type Store, StoreError } from '../stores/store.ts'

/** How often a store that fails for a moment is asked again, and after how long. */
const TRIES = 20
const PAUSE_MS = 100

/** Secrets that open seeds, the one in force first, and whether it was made just now. */
export interface KeySpaceSecrets {
  readonly secrets: readonly [string, ...string[]]
  readonly made: boolean
}

/**
 * The secrets that the settings give, or else the one beside the store's file, which is made for a store that is
 * empty. Settings without either have been refused.
 * @throws {StoreError}
 */
export async function keySpaceSecrets(config: Config, store: Store): Promise<KeySpaceSecrets> {
  const { store: setting, keyspaceSecret, keyspaceOldSecret } = config
  if (keyspaceSecret !== undefined) {
    const old = keyspaceOldSecret === undefined ? [] : [keyspaceOldSecret]
    return { secrets: [keyspaceSecret, ...old], made: false }
  }
  const location = readLocation(setting)
  if (typeof location === 'string' || location.kind !== 'file') {
    throw new StoreError('KEYSPACE_SECRET is missing', { lasting: true })
  }
  const { state } = await patiently(store)
  const { secret, made } = await secretBeside(location.path, state === undefined)
  return { secrets: [secret], made }
}

/** A file may be locked by another process for a moment. */
async function patiently(store: Store): Promise<Snapshot> {
  for (let tries = 1; ; tries++) {
    try {
      return await store.read()
    } catch (error) {
      if (!(error instanceof StoreError) || error.lasting || tries === TRIES) throw error
      await sleep(PAUSE_MS)
    }
  }
}
