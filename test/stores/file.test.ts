import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, copyFile, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { FileStore } from '../../src/stores/file.ts'
import type { Store } from '../../src/stores/store.ts'
import { newFolder, PATIENCE } from '../helper.ts'

const CHILD = join(import.meta.dirname, 'file-child.ts')

function open(path: string): FileStore {
  const store = new FileStore(path)
  onTestFinished(() => store.close())
  return store
}

async function write(store: Store, state: string): Promise<boolean> {
  return store.swap((await store.read()).version, state)
}

/** A process of its own; `limit` is for the shell that it is started from. */
function start(action: string, path: string, limit = ''): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', process.execPath, CHILD, action, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function outputOf(action: string, path: string, limit?: string): Promise<string[]> {
  return (await text(start(action, path, limit).stdout)).trimEnd().split('\n')
}

describe('what can be no store is said so, and nothing is made or changed', () => {
  test('a file that is no database', async () => {
    const path = join(await newFolder(), 'notes.txt')
    await writeFile(path, 'these are notes, not keys\n'.repeat(100))
    const before = await readFile(path)
    for (const attempt of [() => open(path).read(), () => open(path).swap('', 'state')]) {
      await expect(attempt()).rejects.toMatchObject({
        name: 'StoreError',
        lasting: true,
        message: "the store's file is no database: give another one with -store",
      })
    }
    expect(await readFile(path)).toEqual(before)
  })

  test('a folder', async () => {
    const path = await newFolder()
    await expect(open(path).read()).rejects.toMatchObject({ name: 'StoreError' })
    expect(await readdir(path)).toEqual([])
  })

  test('a path through a file', async () => {
    const path = join(await newFolder(), 'file')
    await writeFile(path, '')
    await expect(open(join(path, 'keys.db')).read()).rejects.toMatchObject({
      message: expect.stringMatching(/^the store's file can't be made or written: E(NOTDIR|EXIST)$/),
      lasting: true,
    })
  })

  test('a link to nowhere', async () => {
    const path = join(await newFolder(), 'link')
    await symlink('/nonexistent/keys.db', path)
    await expect(open(path).read()).rejects.toMatchObject({ name: 'StoreError', lasting: true })
  })

  test('a folder that this user may not write to, and a file in it', async () => {
    const folder = await newFolder()
    const path = join(folder, 'keys.db')
    const refused = { name: 'StoreError', lasting: true, message: expect.stringContaining('EACCES') }
    await chmod(folder, 0o555)
    expect((await outputOf('unprivileged', path)).map((line) => JSON.parse(line))).toEqual([refused])
    await chmod(folder, 0o755)
    const store = open(path)
    expect(await write(store, 'kept')).toBe(true)
    await store.close()
    await chmod(path, 0o444)
    expect((await outputOf('unprivileged', path)).map((line) => JSON.parse(line))).toEqual([refused])
    expect((await open(path).read()).state).toBe('kept')
  })

  test('a file that is removed or replaced while it is in use', async () => {
    const folder = await newFolder()
    const [path, copy] = [join(folder, 'keys.db'), join(folder, 'copy.db')]
    const first = open(path)
    await write(first, 'old')
    await first.close()
    await copyFile(path, copy)
    const store = open(path)
    await write(store, 'new')
    const { version } = await store.read()
    const refused = { lasting: true, message: expect.stringContaining('removed or replaced while in use') }
    await rename(path, join(folder, 'moved.db'))
    await expect(store.read()).rejects.toMatchObject(refused)
    await rename(copy, path)
    await expect(store.swap(version, 'newer')).rejects.toMatchObject(refused)
  })

  test('a write-ahead log that is removed while it is in use: others would no longer see what is in it', async () => {
    const path = join(await newFolder(), 'keys.db')
    const store = open(path)
    await write(store, 'new')
    await rm(`${path}-wal`)
    await rm(`${path}-shm`)
    const refused = { lasting: true, message: expect.stringContaining('removed or replaced while in use') }
    await expect(store.read()).rejects.toMatchObject(refused)
  })

  test.runIf(existsSync('/proc/self'))('a folder in a file system that lets nobody make one', async () => {
    // In a process of its own, as a loop without an end could not be stopped in this one.
    const [line = ''] = await outputOf('unprivileged', '/proc/none/deeper/keys.db')
    expect(JSON.parse(line)).toMatchObject({ lasting: true, message: expect.stringMatching(/: E\w+$/) })
  })
})

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

describe('another process', () => {
  function lock(path: string): DatabaseSync {
    const other = new DatabaseSync(path)
    onTestFinished(() => {
      if (other.isOpen) other.close()
    })
    other.exec('BEGIN IMMEDIATE')
    return other
  }

  test('that holds the lock makes a swap lose at once; reading goes on', async () => {
    const path = join(await newFolder(), 'keys.db')
    const store = open(path)
    await write(store, 'before')
    const other = lock(path)
    expect(await write(store, 'after')).toBe(false)
    expect((await store.read()).state).toBe('before')
    other.exec('ROLLBACK')
    expect(await write(store, 'after')).toBe(true)
  })

  test('that holds it for itself at the start is an error that passes', async () => {
    const path = join(await newFolder(), 'keys.db')
    const other = lock(path)
    const store = open(path)
    await expect(store.read()).rejects.toMatchObject({
      message: "the store's file is locked by another process",
      lasting: false,
    })
    expect(await store.swap('', 'early')).toBe(false)
    other.exec('ROLLBACK')
    expect(await write(store, 'later')).toBe(true)
  })

  test('may write at the same time: nothing is lost', async () => {
    const path = join(await newFolder(), 'keys.db')
    const children = [start('count', path), start('count', path)]
    const said = children.map(() => new Set<string>())
    for (const [index, child] of children.entries()) {
      child.stdout.on('data', (chunk) => {
        for (const line of String(chunk).trim().split('\n')) said[index]?.add(line)
      })
    }
    await vi.waitFor(() => expect(said.every(({ size }) => size >= 20)).toBe(true), PATIENCE)
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map((child) => once(child, 'close')))
    const [one = new Set(), other = new Set()] = said
    expect([...one].filter((number) => other.has(number))).toEqual([])
    expect(Number((await open(path).read()).state)).toBeGreaterThanOrEqual(one.size + other.size)
  })
})

test('a process killed amid its swaps loses none that it was told of', { timeout: 60_000 }, async () => {
  const path = join(await newFolder(), 'keys.db')
  let last = 0
  for (let round = 0; round < 5; round++) {
    const child = start('count', path)
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
      // A moment that differs by round, in the middle of whatever the process does.
      if (said.split('\n').length > 10 + round * 7) child.kill('SIGKILL')
    })
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
    const told = Number(said.trimEnd().split('\n').at(-1))
    expect(told).toBeGreaterThan(last)
    const { state = '' } = await open(path).read()
    expect(state).toHaveLength(20_000)
    // The last one may be stored without having been said.
    expect([told, told + 1]).toContain(Number(state))
    last = Number(state)
  }
})

test('a file that may not grow is an error, loses nothing, and is written again when there is room', async () => {
  const [refusal = '', again, size] = await outputOf(
    'fill',
    join(await newFolder(), 'keys.db'),
    'ulimit -f 400;',
  )
  expect(JSON.parse(refusal)).toMatchObject({ name: 'StoreError', lasting: false })
  expect([again, size]).toEqual(['true', '11'])
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
