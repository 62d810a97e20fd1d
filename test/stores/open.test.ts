import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FileStore } from '../../src/stores/file.ts'
import { KubernetesStore } from '../../src/stores/kubernetes.ts'
import { openStore } from '../../src/stores/open.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { newFolder } from '../helper.ts'

test('the setting says which store it is', async () => {
  const path = join(await newFolder(), 'data', 'keys.db')
  for (const [setting, kind] of [
    [path, FileStore],
    ['postgres://keys@127.0.0.1:9/keys', PostgresStore],
    ['postgresql://keys@127.0.0.1:9/keys', PostgresStore],
    ['kubernetes:keys', KubernetesStore],
  ] as const) {
    const store = await openStore(setting)
    expect(store).toBeInstanceOf(kind)
    await store.close()
  }
  await expect(access(path)).rejects.toThrow('ENOENT')
})

test('a setting that names no store is refused', async () => {
  await expect(openStore('redis://:hunter2@cache')).rejects.toMatchObject({
    name: 'StoreError',
    lasting: true,
    message: expect.stringMatching(/^-store \(STORE\) must be (?!.*hunter2)/),
  })
})

test.for([
  'postgres://keys:hunter2@127.0.0.1:9/keys',
  'postgres://keys:hunter2@127.0.0.1:9/keys?target_session_attrs=hunter2',
  'postgres://keys:hunter%zz2@127.0.0.1:9/keys',
])('%j, which does not lead to a database, is not repeated', async (setting) => {
  const store = await openStore(setting)
  const error = await store.read().catch((reason) => reason)
  expect(error).toMatchObject({ name: 'StoreError' })
  expect(`${error.stack}${JSON.stringify(error)}${error.cause}`).not.toContain('hunter')
  await store.close()
})
