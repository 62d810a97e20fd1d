import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import postgres, { type Sql } from 'postgres'
import { OPERATION_TIMEOUT_MS, type Snapshot, type Store, StoreError } from './store.ts'

/** SQLSTATE codes (PostgreSQL's appendix A) that say that another transaction was first. */
const CONFLICTS = new Set(['40001', '40P01'])

/** Those that say that the table is there after all: another replica makes it at the same time. */
const MADE_ALREADY = new Set(['23505', '42P07', '42710'])

/** Those that stay until somebody acts, and what they mean. */
const LASTING: Readonly<Record<string, string>> = {
  '28P01': 'refuses the user or the password',
  '28000': 'refuses the user or the password',
  '3D000': 'has no such database',
  '42501': 'does not let this user make, read or write the table key_server_key_space',
}

/** A store in one row of a PostgreSQL database, or of what speaks its protocol. */
export class PostgresStore implements Store {
  readonly #url: string
  readonly #timeoutMs: number
  #sql: Sql | undefined

  /** Connects to nothing yet. */
  constructor(url: string, timeoutMs = OPERATION_TIMEOUT_MS) {
    this.#url = url
    this.#timeoutMs = timeoutMs
  }

  read(): Promise<Snapshot> {
    return this.#attempt(async (sql) => {
      const [row] = await readRow(sql).catch(async (error) => {
        if (codeOf(error) !== '42P01') throw error
        await makeTable(sql)
        return await readRow(sql)
      })
      if (row === undefined) throw new StoreError('the PostgreSQL store answers no row')
      return { state: row.state ?? undefined, version: row.version ?? '', now: row.now }
    })
  }

  swap(version: string, state: string): Promise<boolean> {
    return this.#attempt((sql) =>
      sql
        .begin(async (transaction) => {
          // Here and not at the connection's start, as a pooler such as PgBouncer refuses such parameters there.
          await transaction`SELECT set_config('statement_timeout', ${String(this.#timeoutMs)}, true),
                                   set_config('synchronous_commit', 'on', true)`
          // A random version, as a counter would be valid again after a backup is restored.
          const next = randomUUID()
          const { count } = await (version === ''
            ? transaction`INSERT INTO key_server_key_space (id, version, state) VALUES (1, ${next}, ${state})
                          ON CONFLICT DO NOTHING`
            : transaction`UPDATE key_server_key_space SET version = ${next}, state = ${state}
                          WHERE id = 1 AND version = ${version}`)
          return count === 1
        })
        .catch((error) => {
          if (CONFLICTS.has(codeOf(error))) return false
          throw error
        }),
    )
  }

  async close(): Promise<void> {
    await this.#sql?.end({ timeout: this.#timeoutMs / 1000 })
    this.#sql = undefined
  }

  #connected(): Sql {
    try {
      this.#sql ??= connect(this.#url, this.#timeoutMs)
      return this.#sql
    } catch {
      // Not said why: the client's words may repeat the URL.
      throw new StoreError('the PostgreSQL store has a URL that its client refuses', { lasting: true })
    }
  }

  async #attempt<T>(action: (sql: Sql) => Promise<T>): Promise<T> {
    const sql = this.#connected()
    const deadline = AbortSignal.timeout(this.#timeoutMs)
    const late = once(deadline, 'abort').then(() => {
      throw new StoreError(`the PostgreSQL store does not answer within ${this.#timeoutMs} ms`)
    })
    try {
      return await Promise.race([action(sql), late])
    } catch (error) {
      if (deadline.aborted) {
        // A connection that hangs would hold its place in the pool for ever.
        if (this.#sql === sql) this.#sql = undefined
        await sql.end({ timeout: 0 })
      }
      throw error instanceof StoreError ? error : failure(codeOf(error))
    }
  }
}

function connect(url: string, timeoutMs: number): Sql {
  return postgres(url, {
    max: 2,
    connect_timeout: timeoutMs / 1000,
    idle_timeout: 60,
    // Whoever asks paces itself; the client's own waits would be taken for a store that is away.
    backoff: () => 0,
    prepare: false,
    fetch_types: false,
    onnotice: () => undefined,
  })
}

function readRow(sql: Sql) {
  return sql<{ state: string | null; version: string | null; now: number }[]>`
    SELECT state, version, (extract(epoch FROM now()) * 1000)::float8 AS now
    FROM (SELECT 1) AS always LEFT JOIN key_server_key_space ON id = 1`
}

async function makeTable(sql: Sql): Promise<void> {
  try {
    await sql`CREATE TABLE IF NOT EXISTS key_server_key_space (
                id integer PRIMARY KEY CHECK (id = 1), version text NOT NULL, state text NOT NULL)`
  } catch (error) {
    if (!MADE_ALREADY.has(codeOf(error))) throw error
  }
}

function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException
  return code ?? name
}

/** The server's own words are left out: they may repeat parts of a mistyped URL. */
function failure(code: string): StoreError {
  const meaning = LASTING[code]
  return meaning === undefined
    ? new StoreError(`the PostgreSQL store fails: ${code}`)
    : new StoreError(`the PostgreSQL store ${meaning} (${code})`, { lasting: true })
}
