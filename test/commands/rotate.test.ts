import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { rotateStore } from '../../src/commands/rotate.ts'
import { fenced } from '../../src/key-space/key-space.ts'
import { readKeySpace, writeKeySpace } from '../../src/key-space/key-space-text.ts'
import { FileStore } from '../../src/stores/file.ts'
import { buildApp, newFolder, Recorder, settings } from '../helper.ts'

const SECRET = 'a secret of more than 32 bytes for tests'

/** A store that a server has dealt 20 keys of a byte from. */
async function usedStore(overrides = {}): Promise<string> {
  const store = join(await newFolder(), 'keys.db')
  const app = await buildApp({ unique: true, store, ...overrides })
  await app.inject('/key/1?count=20')
  await app.close()
  return store
}

async function rotate(store: string, overrides = {}) {
  const [stdout, stderr] = [new Recorder(), new Recorder()]
  const status = await rotateStore(settings({ store, ...overrides }), stdout, stderr)
  return { status, stdout: stdout.text, stderr: stderr.text }
}

async function withState<T>(path: string, act: (store: FileStore) => Promise<T>): Promise<T> {
  const store = new FileStore(path)
  try {
    return await act(store)
  } finally {
    await store.close()
  }
}

const spaceOf = (path: string) =>
  withState(path, async (store) => readKeySpace(`${(await store.read()).state}`))

describe('rotate', () => {
  test('begins the next period, with the secret beside the store and no end', async () => {
    const store = await usedStore()
    expect(await rotate(store)).toEqual({
      status: 0,
      stdout: 'Period 2 has begun, without an end. Servers deal from it within a minute\n',
      stderr: '',
    })
    const { period, lengths, ended } = await spaceOf(store)
    expect([period.number, lengths, ended.length]).toEqual([2, {}, 1])
    const app = await buildApp({ unique: true, store })
    expect((await app.inject('/key/1')).headers['key-period']).toBe('2')
  })

  test('keeps the policy that the servers have', async () => {
    const store = await usedStore({ keyspaceSecret: SECRET, rotateEvery: 90 })
    const { stdout } = await rotate(store, { keyspaceSecret: SECRET })
    expect(stdout).toMatch(/^Period 2 has begun, until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\. /)
    expect((await spaceOf(store)).period.ends?.everyDays).toBe(90)
  })

  test('ends a fence', async () => {
    const store = await usedStore()
    await withState(store, async (file) => {
      const { version, state } = await file.read()
      await file.swap(version, writeKeySpace(fenced(readKeySpace(`${state}`), 'a test', 0)))
    })
    expect((await rotate(store)).status).toBe(0)
    expect((await spaceOf(store)).fenced).toBeUndefined()
  })
})

describe('what can not be rotated is said in a sentence, with status 1, and is left as it is', () => {
  test('no store, and none is made', async () => {
    const store = join(await newFolder(), 'keys.db')
    expect(await rotate(store)).toEqual({
      status: 1,
      stdout: '',
      stderr: 'key-server: there is no store: the file that -store names does not exist\n',
    })
    expect([store, `${store}.secret`].map((file) => existsSync(file))).toEqual([false, false])
  })

  test('another secret', async () => {
    const store = await usedStore()
    const before = await spaceOf(store)
    const { status, stderr } = await rotate(store, { keyspaceSecret: SECRET })
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^key-server: KEYSPACE_SECRET is not the one/),
    ])
    expect(stderr).not.toContain(SECRET)
    expect(await spaceOf(store)).toEqual(before)
  })

  test('a secret that is gone', async () => {
    const store = await usedStore()
    await rm(`${store}.secret`)
    expect((await rotate(store)).stderr).toMatch(/the key-space secret is gone/)
    expect(existsSync(`${store}.secret`)).toBe(false)
  })

  test('a damaged state', async () => {
    const store = await usedStore()
    await withState(store, async (file) => file.swap((await file.read()).version, 'damaged'))
    expect((await rotate(store)).stderr).toMatch(/is damaged/)
    expect(await withState(store, async (file) => (await file.read()).state)).toBe('damaged')
  })

  test('a database that is away, without its password', async () => {
    const { status, stderr } = await rotate('postgres://keys:hunter2@127.0.0.1:9/keys', {
      keyspaceSecret: SECRET,
    })
    expect([status, stderr]).toEqual([1, 'key-server: the PostgreSQL store fails: ECONNREFUSED\n'])
  })
})

test('an empty store has nothing to rotate', async () => {
  const store = join(await newFolder(), 'keys.db')
  await withState(store, async (file) => file.read())
  expect(await rotate(store)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^The store is empty/),
  })
  expect(existsSync(`${store}.secret`)).toBe(false)
})
