import { existsSync } from 'node:fs'
import { chmod, copyFile, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { newFolder } from '../helper.ts'
import { open, outputOf, write } from './file-store.ts'

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
