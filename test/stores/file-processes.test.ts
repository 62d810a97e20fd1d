import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { newFolder, PATIENCE } from '../helper.ts'
import { open, outputOf, start, write } from './file-store.ts'

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
