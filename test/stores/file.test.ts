import { copyFile, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { newFolder } from '../helper.ts'
import { open, write } from './file-store.ts'

test('the folder is made, and only its owner can read what is in it', async () => {
  const folder = join(await newFolder(), 'a', 'b')
  const store = open(join(folder, 'keys.db'))
  expect(await write(store, 'state')).toBe(true)
  const files = await readdir(folder)
  expect(files).toEqual(['keys.db', 'keys.db-shm', 'keys.db-wal'])
  const modes = await Promise.all(['.', ...files].map(async (file) => (await stat(join(folder, file))).mode))
  expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(['700', '600', '600', '600'])
})

test.for([':memory:', 'a?mode=memory', "a'b c%20"])('%j is a file like any other', async (name) => {
  const path = join(await newFolder(), name)
  expect(await write(open(path), 'state')).toBe(true)
  expect((await open(path).read()).state).toBe('state')
})

test('what was stored is there after a restart', async () => {
  const path = join(await newFolder(), 'keys.db')
  const store = open(path)
  await write(store, 'one')
  await write(store, 'two')
  const { version } = await store.read()
  await store.close()
  expect(await open(path).read()).toMatchObject({ state: 'two', version })
})

test('a version of a restored backup is not one that was given since', async () => {
  const folder = await newFolder()
  const [path, backup] = [join(folder, 'keys.db'), join(folder, 'backup.db')]
  const versions: string[] = []
  for (const _run of ['before', 'after']) {
    const store = open(path)
    if (versions.length === 0) {
      await write(store, 'saved')
      await store.close()
      await copyFile(path, backup)
    }
    await write(store, 'later')
    versions.push((await store.read()).version)
    await store.close()
    await copyFile(backup, path)
  }
  expect(new Set(versions).size).toBe(2)
})

describe('what is overwritten is gone', () => {
  async function contents(folder: string): Promise<string> {
    const files = await readdir(folder)
    return (await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))).join('')
  }

  test('from the database and its log, within a minute and a read', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const folder = await newFolder()
    const store = open(join(folder, 'keys.db'))
    await write(store, `a destroyed seed ${'x'.repeat(9000)}`)
    await write(store, 'the new state')
    expect(await contents(folder)).toContain('a destroyed seed')
    vi.advanceTimersByTime(60_000)
    await store.read()
    expect(await contents(folder)).toContain('the new state')
    expect(await contents(folder)).not.toContain('a destroyed seed')
  })

  test('from all files after a clean stop', async () => {
    const folder = await newFolder()
    const store = open(join(folder, 'keys.db'))
    await write(store, 'a destroyed seed')
    await write(store, 'the new state')
    await store.close()
    expect(await readdir(folder)).toEqual(['keys.db'])
    expect(await contents(folder)).not.toContain('a destroyed seed')
  })

  test('though another reader may delay it, and reading goes on', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const folder = await newFolder()
    const path = join(folder, 'keys.db')
    const store = open(path)
    await write(store, 'a destroyed seed')
    const reader = new DatabaseSync(path)
    onTestFinished(() => reader.close())
    reader.exec('BEGIN; SELECT * FROM key_space')
    await write(store, 'the new state')
    vi.advanceTimersByTime(60_000)
    expect((await store.read()).state).toBe('the new state')
    expect(await contents(folder)).toContain('a destroyed seed')
    reader.exec('COMMIT')
    await store.read()
    expect(await contents(folder)).not.toContain('a destroyed seed')
  })
})
