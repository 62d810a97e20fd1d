import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { showStore } from '../../src/commands/store-show.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import type { Store } from '../../src/stores/store.ts'
import { PATIENCE, Recorder } from '../helper.ts'
import { keepsTheContract } from '../stores/contract.ts'
import { forwardTo } from './forward.ts'
import { PASSWORD, PostgresServer } from './postgres-server.ts'

let server: PostgresServer
let schemas = 0

beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.remove())

function admin(target = server) {
  const sql = postgres(target.url(), { max: 1, onnotice: () => undefined })
  onTestFinished(() => sql.end({ timeout: 0 }))
  return sql
}

/** The URL of a place in the server where nothing is yet. */
async function newPlace(target = server): Promise<{ url: string; schema: string }> {
  const schema = `place_${schemas++}`
  await admin(target).unsafe(`CREATE SCHEMA ${schema}`)
  return { url: target.url({ parameters: `search_path=${schema}` }), schema }
}

function open(url: string, timeoutMs?: number): PostgresStore {
  const store = new PostgresStore(url, timeoutMs)
  onTestFinished(() => store.close())
  return store
}

async function write(store: Store, state: string): Promise<boolean> {
  return store.swap((await store.read()).version, state)
}

async function failureOf(attempt: Promise<unknown>): Promise<{ message: string; lasting: boolean }> {
  const error = await attempt.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toMatchObject({ name: 'StoreError' })
  const all = `${error.message}${error.stack}${JSON.stringify(error)}${error.cause}`
  for (const secret of [PASSWORD, 'wrong-one', 'the-state']) expect(all).not.toContain(secret)
  const { message, lasting } = error
  return { message, lasting }
}

describe('the PostgreSQL store', () => {
  keepsTheContract(async () => {
    const { url } = await newPlace()
    return () => new PostgresStore(url)
  })

  test('has the clock of the database', async () => {
    const before = (await admin()`SELECT (extract(epoch FROM now()) * 1000)::float8 AS now`)[0]?.now
    const { now } = await open((await newPlace()).url).read()
    expect(now).toBeGreaterThan(before)
    expect(now).toBeLessThan(before + 60_000)
  })

  test('makes its table when many replicas start on an empty database at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { url } = await newPlace()
      const stores = Array.from({ length: 8 }, () => open(url))
      const found = await Promise.all(stores.map((store) => store.read()))
      expect(new Set(found.map(({ version, state }) => `${version} ${state}`))).toEqual(
        new Set([' undefined']),
      )
    }
  })

  test('needs no right to make a table that is there', async () => {
    const { url, schema } = await newPlace()
    await write(open(url), 'state')
    const sql = admin()
    await sql.unsafe(`CREATE ROLE ${schema} LOGIN PASSWORD '${PASSWORD}'; GRANT USAGE ON SCHEMA ${schema} TO ${schema};
      GRANT SELECT, INSERT, UPDATE ON ${schema}.key_server_key_space TO ${schema}`)
    const store = open(server.url({ user: schema, parameters: `search_path=${schema}` }))
    expect(await write(store, 'newer')).toBe(true)
  })

  test('commits durably even where the database does not by default', async () => {
    const { url, schema } = await newPlace()
    await open(url).read()
    const sql = admin()
    await sql.unsafe(`CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.state := current_setting('synchronous_commit'); RETURN NEW; END $$;
      CREATE TRIGGER note BEFORE INSERT ON ${schema}.key_server_key_space FOR EACH ROW EXECUTE FUNCTION ${schema}.note()`)
    const store = open(`${url}&synchronous_commit=off`)
    expect(await write(store, 'anything')).toBe(true)
    expect((await store.read()).state).toBe('on')
  })
})

describe('what is wrong is said, without a secret', () => {
  test.for([
    [{ password: 'wrong-one' }, 'the PostgreSQL store refuses the user or the password (28P01)'],
    [{ user: 'nobody' }, 'the PostgreSQL store refuses the user or the password (28P01)'],
    [{ database: 'no_such' }, 'the PostgreSQL store has no such database (3D000)'],
  ] as const)('%j', async ([parts, message]) => {
    const store = open(server.url(parts))
    for (const attempt of [() => store.read(), () => store.swap('', 'the-state')]) {
      expect(await failureOf(attempt())).toEqual({ message, lasting: true })
    }
  })

  test('by store show too', async () => {
    const [stdout, stderr] = [new Recorder(), new Recorder()]
    expect(await showStore(server.url({ password: 'wrong-one' }), stdout, stderr)).toBe(1)
    expect(stderr.text).toBe('key-server: the PostgreSQL store refuses the user or the password (28P01)\n')
    expect(await showStore((await newPlace()).url, stdout, stderr)).toBe(0)
    expect(stdout.text).toBe('The store is empty: no unique key was ever dealt from it\n')
  })

  test('a user without rights', async () => {
    const { schema } = await newPlace()
    await admin().unsafe(
      `CREATE ROLE ${schema} LOGIN PASSWORD '${PASSWORD}'; GRANT USAGE ON SCHEMA ${schema} TO ${schema}`,
    )
    const store = open(server.url({ user: schema, parameters: `search_path=${schema}` }))
    expect(await failureOf(store.read())).toEqual({
      message: expect.stringMatching(/does not let this user make, read or write the table .*\(42501\)/),
      lasting: true,
    })
  })

  test('a database that may only be read', async () => {
    const { url } = await newPlace()
    await write(open(url), 'before')
    const store = open(`${url}&default_transaction_read_only=on`)
    expect((await store.read()).state).toBe('before')
    expect(await failureOf(write(store, 'the-state'))).toMatchObject({
      message: expect.stringContaining('25006'),
    })
  })

  test('nothing there', async () => {
    const store = open(`postgres://keys:${PASSWORD}@127.0.0.1:9/keys`)
    expect(await failureOf(store.read())).toEqual({
      message: 'the PostgreSQL store fails: ECONNREFUSED',
      lasting: false,
    })
  })
})

describe('nothing hangs', () => {
  const late = { message: expect.stringMatching(/does not answer within \d+ ms/), lasting: false }

  test('on a server that accepts and says nothing', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void silent.close())
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const store = open(`postgres://keys:${PASSWORD}@127.0.0.1:${port}/keys`, 300)
    const failures = await Promise.all([failureOf(store.read()), failureOf(store.swap('', 'the-state'))])
    for (const { message } of failures) expect(message).toMatch(/does not answer|CONNECT_TIMEOUT|CONNECTION_/)
  })

  test('on a table that is locked, and later it works again', async () => {
    const { url, schema } = await newPlace()
    await write(open(url), 'before')
    const store = open(url, 500)
    const { version } = await store.read()
    const sql = admin()
    await sql.unsafe(`BEGIN; LOCK TABLE ${schema}.key_server_key_space IN ACCESS EXCLUSIVE MODE`)
    expect(await failureOf(store.read())).toEqual(late)
    expect(await failureOf(store.swap(version, 'the-state'))).toMatchObject({ lasting: false })
    await sql.unsafe('ROLLBACK')
    // A swap that timed out may be done or not; the version tells.
    expect(['before', 'the-state']).toContain((await open(url).read()).state)
    expect(await write(open(url), 'after')).toBe(true)
    expect((await open(url).read()).state).toBe('after')
  })

  test('on a connection that goes dead amid its use, and later it works again', async () => {
    const { url } = await newPlace()
    const proxy = await forwardTo(server.port)
    const store = open(url.replace(`:${server.port}`, `:${proxy.port}`), 500)
    await vi.waitFor(async () => expect(await write(store, 'before')).toBe(true), PATIENCE)
    proxy.freeze()
    expect(await failureOf(store.read())).toEqual(late)
    await vi.waitFor(() => expect(proxy.connections()).toBe(0), PATIENCE)
    proxy.thaw()
    await vi.waitFor(async () => expect((await store.read()).state).toBe('before'), PATIENCE)
  })
})

test('a server that stops and starts again is used again', async () => {
  const own = await PostgresServer.start()
  onTestFinished(() => own.remove())
  const store = open((await newPlace(own)).url)
  expect(await write(store, 'before')).toBe(true)
  await own.stop()
  const failures: string[] = []
  for (let reads = 0; reads < 10; reads++) failures.push((await failureOf(store.read())).message)
  // A client that waits longer after each failure would be late instead.
  expect(new Set(failures.slice(2))).toEqual(new Set(['the PostgreSQL store fails: ECONNREFUSED']))
  expect((await failureOf(store.swap('', 'the-state'))).lasting).toBe(false)
  await own.start()
  expect((await store.read()).state).toBe('before')
  expect(await write(store, 'after')).toBe(true)
})

test('TLS is as the URL says', async () => {
  const own = await PostgresServer.start({ tls: true })
  onTestFinished(() => own.remove())
  expect(await failureOf(open(own.url()).read())).toMatchObject({ message: expect.stringContaining('28000') })
  expect(await write(open(own.url({ parameters: 'sslmode=require' })), 'state')).toBe(true)
  expect(await failureOf(open(own.url({ parameters: 'sslmode=verify-full' })).read())).toMatchObject({
    message: expect.stringContaining('CERT'),
  })
  expect(await failureOf(open(server.url({ parameters: 'sslmode=require' })).read())).toMatchObject({
    lasting: false,
  })
})
