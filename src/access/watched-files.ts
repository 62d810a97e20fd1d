import { readFileSync, statSync } from 'node:fs'

/** How often watched files are looked at: a mounted Secret is swapped as a symbolic link, of which inotify misses some. */
const LOOK_MS = 2000

/** More than any file of keys or certificates has. */
const MOST_BYTES = 4_194_304

/** A file that may not be used as it is; the message says why. */
export class UnusableFile extends Error {
  override readonly name = 'UnusableFile'
}

/**
 * Reads a file that only its owner should change. It is small and on a local disk, so that reading it at once
 * costs less than doing so in the background.
 * @throws {UnusableFile}
 */
export function readGuardedFile(path: string): string {
  try {
    const status = statSync(path)
    // A pipe or a device might never end.
    if (!status.isFile()) throw new UnusableFile('it is not a file')
    if (status.mode & 0o002) throw new UnusableFile('everybody may write to it: take that away (chmod o-w)')
    if (status.size > MOST_BYTES) throw new UnusableFile(`it has more than ${MOST_BYTES} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof UnusableFile) throw error
    throw new UnusableFile(`it can't be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

/**
 * Hands the texts of files to `take`, at once and again whenever one has changed. What can't be read later on, or
 * what `take` throws then, goes to `failed`: once, until something changes.
 * @returns what ends it.
 * @throws {UnusableFile} and what `take` throws, at once.
 */
export function watchFiles(
  paths: readonly string[],
  take: (texts: string[]) => void,
  failed: (error: Error) => void,
): () => void {
  let seen = ''
  const look = () => {
    const texts = paths.map(readGuardedFile)
    if (texts.join('\0') === seen) return
    seen = texts.join('\0')
    take(texts)
  }
  look()
  const timer = setInterval(() => {
    const before = seen
    try {
      look()
    } catch (error) {
      if (error instanceof UnusableFile) seen = error.message
      if (seen !== before) failed(error as Error)
    }
  }, LOOK_MS).unref()
  return () => clearInterval(timer)
}
