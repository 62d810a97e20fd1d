import { existsSync } from 'node:fs'
import { systemClock } from '../clock.ts'
import { UnreadableKeySpace } from '../key-space/key-space-text.ts'
import { Seal, WrongSecret } from '../key-space/seal.ts'
import { SharedSpace } from '../key-space/shared-space.ts'
import { Contended } from '../key-space/shared-space-errors.ts'
import type { Output } from '../log.ts'
import type { Config } from '../schemas/settings.ts'
import { keySpaceSecrets } from '../settings/key-space-secrets.ts'
import { readLocation } from '../stores/location.ts'
import { openStore } from '../stores/open.ts'
import { StoreError } from '../stores/store.ts'
import { rfc3339 } from '../time.ts'

/** What may keep a store from being rotated; its message is for people. */
const expected = [StoreError, UnreadableKeySpace, WrongSecret, Contended]

/**
 * Begins the next period of the store that the settings name, fenced or not; servers on it follow within a minute.
 * @returns the exit status: 0, or 1 with a sentence on `stderr`.
 */
export async function rotateStore(config: Config, stdout: Output, stderr: Output): Promise<number> {
  try {
    stdout.write(await rotate(config))
    return 0
  } catch (error) {
    if (!(error instanceof Error) || !expected.some((kind) => error instanceof kind)) throw error
    stderr.write(`key-server: ${error.message}\n`)
    return 1
  }
}

async function rotate(config: Config): Promise<string> {
  const location = readLocation(config.store)
  if (typeof location === 'object' && location.kind === 'file' && !existsSync(location.path)) {
    throw new StoreError('there is no store: the file that -store names does not exist')
  }
  const store = await openStore(config.store)
  try {
    const { state } = await store.read()
    if (state === undefined) return 'The store is empty: there is no period to end\n'
    const { secrets } = await keySpaceSecrets(config, store)
    const { period } = await new SharedSpace(store, new Seal(secrets), systemClock).rotate()
    const end = period.ends === undefined ? 'without an end' : `until ${rfc3339(period.ends.at)}`
    return `Period ${period.number} has begun, ${end}. Servers deal from it within a minute\n`
  } finally {
    await store.close()
  }
}
