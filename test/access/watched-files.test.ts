import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readGuardedFile, UnusableFile, watchFiles } from '../../src/access/watched-files.ts'
import { newFolder, PATIENCE } from '../helper.ts'

describe('a file is not read', () => {
  test.for<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['that is not there', async () => undefined, /^it can't be read: ENOENT$/],
    ['that is a folder', (path) => mkdir(path), /^it is not a file$/],
    ['that leads nowhere', (path) => symlink(`${path}-gone`, path), /^it can't be read: ENOENT$/],
    ['that leads to itself', (path) => symlink(path, path), /^it can't be read: ELOOP$/],
    ['that is too large', (path) => writeFile(path, ' '.repeat(5_000_000)), /more than \d+ bytes/],
    [
      'that everybody may write to',
      (path) => writeFile(path, 'a').then(() => chmod(path, 0o666)),
      /everybody may write to it/,
    ],
  ])('%s', async ([, make, sentence]) => {
    const path = join(await newFolder(), 'file')
    await make(path)
    expect(() => readGuardedFile(path)).toThrow(UnusableFile)
    expect(() => readGuardedFile(path)).toThrow(sentence)
  })
})

async function watched(take: (texts: string[]) => void = () => undefined) {
  const folder = await newFolder()
  const path = join(folder, 'file')
  await writeFile(path, 'first')
  const taken: string[] = []
  const failures: string[] = []
  const stop = watchFiles(
    [path],
    ([text = '']) => {
      taken.push(text)
      take([text])
    },
    ({ message }) => void failures.push(message),
  )
  onTestFinished(stop)
  return { folder, path, taken, failures }
}

describe('a watched file', { timeout: 60_000 }, () => {
  test('is taken at once, and again when it changes', async () => {
    const { path, taken } = await watched()
    expect(taken).toEqual(['first'])
    await writeFile(path, 'second')
    await vi.waitFor(() => expect(taken).toEqual(['first', 'second']), PATIENCE)
  })

  test('that is replaced by another, as a mounted Secret is, is taken', async () => {
    const { folder, path, taken } = await watched()
    await writeFile(join(folder, 'draft'), 'second')
    await rename(join(folder, 'draft'), path)
    await vi.waitFor(() => expect(taken).toEqual(['first', 'second']), PATIENCE)
  })

  test('that is away fails once, and is taken when it is back as it was', async () => {
    const { path, taken, failures } = await watched()
    await rm(path)
    await vi.waitFor(() => expect(failures).toEqual(["it can't be read: ENOENT"]), PATIENCE)
    await writeFile(path, 'first')
    await vi.waitFor(() => expect(taken).toEqual(['first', 'first']), PATIENCE)
    expect(failures).toHaveLength(1)
  })

  test('that can not be taken fails once a change', async () => {
    const { path, failures } = await watched(([text]) => {
      if (text !== 'first') throw new Error(`bad ${text}`)
    })
    await writeFile(path, 'second')
    await vi.waitFor(() => expect(failures).toEqual(['bad second']), PATIENCE)
    await writeFile(path, 'third')
    await vi.waitFor(() => expect(failures).toEqual(['bad second', 'bad third']), PATIENCE)
  })
  test('that stays away is told of once, and after its end not at all', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const path = join(await newFolder(), 'file')
    await writeFile(path, 'first')
    const failures: string[] = []
    const end = watchFiles(
      [path],
      () => undefined,
      ({ message }) => failures.push(message),
    )
    await rm(path)
    vi.advanceTimersByTime(60_000)
    expect(failures).toEqual(["it can't be read: ENOENT"])
    end()
    expect(vi.getTimerCount()).toBe(0)
  })
})
