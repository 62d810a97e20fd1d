import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from './store.ts'

/** The least size of the key space's secret. */
export const LEAST_SECRET_BYTES = 32

/**
 * The secret of a key space in a file when none was given: it is kept beside that file, in `<path>.secret`.
 * @param make whether one may be made: only while nothing is stored yet, which another secret would not open.
 * @throws {StoreError}
 */
export async function secretBeside(path: string, make: boolean): Promise<{ secret: string; made: boolean }> {
  const file = `${path}.secret`
  try {
    const made = make && (await makeSecret(file))
    const secret = (await readFile(file, 'utf8')).trim()
    if (Buffer.byteLength(secret) >= LEAST_SECRET_BYTES) return { secret, made }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StoreError(
      code === 'ENOENT'
        ? "the key-space secret is gone from beside the store's file: put it back, or give KEYSPACE_SECRET"
        : `the key-space secret beside the store's file can't be read or made: ${code}`,
      { lasting: true },
    )
  }
  throw new StoreError(
    `the key-space secret beside the store's file has fewer than ${LEAST_SECRET_BYTES} bytes: put the right one back`,
    { lasting: true },
  )
}

/** Whole or not at all, and only the first of those that try at the same time. */
async function makeSecret(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  try {
    await writeDurably(draft, `${randomBytes(LEAST_SECRET_BYTES).toString('base64url')}\n`)
    await link(draft, file)
    await syncFolder(dirname(file))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
