import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keySpaceSecrets } from '../../src/settings/key-space-secrets.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { type Store, StoreError } from '../../src/stores/store.ts'
import { buildApp, newFolder, Recorder, settings } from '../helper.ts'

/** A store whose first reads fail. */
function failing(times: number, error = new StoreError('the file is locked')): Store {
  const store = new MemoryStore()
  return {
    read: async () => {
      if (times-- > 0) throw error
      return store.read()
    },
    swap: (version, state) => store.swap(version, state),
    close: () => store.close(),
  }
}

test('a store that is locked for a moment is waited for', async () => {
  const store = join(await newFolder(), 'keys.db')
  const { secrets, made } = await keySpaceSecrets(settings({ store }), failing(2))
  expect([secrets.length, made]).toEqual([1, true])
  expect(await keySpaceSecrets(settings({ store }), failing(1))).toEqual({ secrets, made: false })
})

test('one that only an operator can mend, or that stays away, is not', async () => {
  const store = join(await newFolder(), 'keys.db')
  const lasting = new StoreError('no database', { lasting: true })
  await expect(keySpaceSecrets(settings({ store }), failing(1, lasting))).rejects.toThrow('no database')
  await expect(keySpaceSecrets(settings({ store }), failing(1000))).rejects.toThrow('is locked')
})

test('what is given goes before what lies beside the store', async () => {
  const store = join(await newFolder(), 'keys.db')
  await writeFile(`${store}.secret`, 'beside')
  const given = { store, keyspaceSecret: 'new', keyspaceOldSecret: 'old' }
  expect(await keySpaceSecrets(settings(given), failing(0))).toEqual({ secrets: ['new', 'old'], made: false })
})

test('that one was made is said once, without where', async () => {
  const store = join(await newFolder(), 'keys.db')
  const logs = [new Recorder(), new Recorder()]
  for (const log of logs) await (await buildApp({ unique: true, store }, { log })).close()
  expect(logs[0]?.text).toContain('No KEYSPACE_SECRET was given')
  expect(logs[0]?.text).not.toContain(store)
  expect(logs[1]?.text).not.toContain('KEYSPACE_SECRET')
})
