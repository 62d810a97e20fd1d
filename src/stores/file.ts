import { randomUUID } from 'node:crypto'
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Snapshot, type Store, StoreError } from './store.ts'

/** How long what was overwritten stays in the write-ahead log, as long as somebody reads. */
const TRUNCATE_MS = 60_000

/** SQLite's primary result codes. */
const [BUSY, READONLY, CORRUPT, FULL, CANTOPEN, NOTADB] = [5, 8, 11, 13, 14, 26]

// A random version, as a counter would be valid again after a backup is restored.
const SETUP = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS key_space (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version TEXT NOT NULL,
    state TEXT NOT NULL
  ) STRICT;
`

/**
 * A store in an SQLite database of this machine, for any number of processes (not over a network file system).
 * Everything is done before a method returns, and nothing waits for another process: a swap costs one fsync.
 */
export class FileStore implements Store {
  readonly #path: string
  #opened: { readonly database: DatabaseSync; readonly inodes: string } | undefined
  #dirtySince: number | undefined

  /** Opens nothing yet, so that a file that can't be used now may be later. */
  constructor(path: string) {
    // An absolute path is never one of SQLite's special names.
    this.#path = resolve(path)
  }

  async read(): Promise<Snapshot> {
    return this.#attempt((database) => {
      this.#truncate(database)
      const row = database.prepare('SELECT state, version FROM key_space').get()
      const { state, version = '' } = (row ?? {}) as { state?: string; version?: string }
      return { state, version, now: Date.now() }
    })
  }

  async swap(version: string, state: string): Promise<boolean> {
    try {
      return this.#attempt((database) => {
        const sql =
          version === ''
            ? 'INSERT INTO key_space (id, version, state) VALUES (1, ?, ?) ON CONFLICT DO NOTHING'
            : 'UPDATE key_space SET version = ?, state = ? WHERE version = ?'
        const { changes } = database
          .prepare(sql)
          .run(randomUUID(), state, ...(version === '' ? [] : [version]))
        if (changes === 1) this.#dirtySince ??= Date.now()
        return changes === 1
      })
    } catch (error) {
      if (error instanceof Busy) return false
      throw error
    }
  }

  async close(): Promise<void> {
    this.#opened?.database.close()
    this.#opened = undefined
  }

  #attempt<T>(action: (database: DatabaseSync) => T): T {
    try {
      this.#opened ??= open(this.#path)
      const { database, inodes } = this.#opened
      if (inodesOf(this.#path) !== inodes) {
        throw new StoreError(
          "the store's file or its -wal was removed or replaced while in use: stop all servers, rotate if it may be older than it was, and start them again",
          { lasting: true },
        )
      }
      return action(database)
    } catch (error) {
      throw error instanceof StoreError ? error : failure(error as Failure)
    }
  }

  /** Else the write-ahead log would keep seeds that were destroyed. */
  #truncate(database: DatabaseSync): void {
    if (this.#dirtySince === undefined || Date.now() - this.#dirtySince < TRUNCATE_MS) return
    try {
      const outcome = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
      if (outcome?.busy === 0) this.#dirtySince = undefined
    } catch (error) {
      // No reason not to read: a full disk, say. The next read tries again.
      if (!isSqlite(error)) throw error
    }
  }
}

/** Another process holds the lock: nothing was done. */
class Busy extends StoreError {}

function open(path: string): { database: DatabaseSync; inodes: string } {
  makeFolder(dirname(path))
  try {
    // SQLite would make it readable for all; the files that it makes beside it get the same mode.
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  // SQLite opens a file that it may not write for reading, without a word.
  accessSync(path, constants.R_OK | constants.W_OK)
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec(SETUP)
    return { database, inodes: inodesOf(path) }
  } catch (error) {
    database.close()
    throw error
  }
}

/** Node's own recursive way never ends in a file system that answers ENOENT, such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Which files these are. The log stays the same while anybody has the database open. */
function inodesOf(path: string): string {
  const files = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false }))
  return files.map((file) => `${file?.dev}:${file?.ino}`).join(' ')
}

/** What SQLite and the file system throw. */
interface Failure extends NodeJS.ErrnoException {
  readonly errcode?: number
}

function isSqlite(error: unknown): boolean {
  return (error as Failure).code === 'ERR_SQLITE_ERROR'
}

function failure({ code, errcode = 0 }: Failure): StoreError {
  if (code !== 'ERR_SQLITE_ERROR') {
    const full = code === 'ENOSPC' || code === 'EDQUOT'
    return new StoreError(`the store's file can't be made or written: ${code}`, { lasting: !full })
  }
  switch (errcode & 0xff) {
    case BUSY:
      return new Busy("the store's file is locked by another process")
    case FULL:
      return new StoreError("the disk of the store's file is full")
    case NOTADB:
      return new StoreError("the store's file is no database: give another one with -store", {
        lasting: true,
      })
    case READONLY:
    case CORRUPT:
    case CANTOPEN:
      return new StoreError(`the store's file can't be used: SQLite's code ${errcode}`, { lasting: true })
    default:
      return new StoreError(`the store's file fails: SQLite's code ${errcode}`)
  }
}
