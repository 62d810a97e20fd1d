import type { FastifyInstance } from 'fastify'
import { describe, expect, test, vi } from 'vitest'
import { DEFAULT_FORMAT } from '../../src/keys/encodings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { type Snapshot, type Store, StoreError } from '../../src/stores/store.ts'
import { buildApp, listen, newFolder, PATIENCE, scrape } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { converse, kept, request } from '../tcp.ts'

const JSON_CLIENT = { accept: 'application/json' }
const SECRET = 'a secret of more than 32 bytes for tests'

/** A store in memory that can be made to fail. */
class MoodyStore implements Store {
  away = false
  operations = 0
  /** What each read waits for. */
  gate = Promise.resolve()
  readonly #store = new MemoryStore()

  async read(): Promise<Snapshot> {
    this.#act()
    await this.gate
    return this.#store.read()
  }

  async swap(version: string, state: string): Promise<boolean> {
    this.#act()
    return this.#store.swap(version, state)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #act(): void {
    this.operations++
    if (this.away) throw new StoreError('the store is away', { lasting: true })
  }
}

const unique = (store: Store = new MemoryStore(), overrides = {}): Promise<FastifyInstance> =>
  buildApp({ unique: true, keyspaceSecret: SECRET, ...overrides }, { store })

const linesOf = (body: string): string[] => body.trimEnd().split('\n')

describe('with -unique', () => {
  test('all keys of a byte come exactly once, and then no more', async () => {
    const app = await unique()
    const keys: string[] = []
    for (let call = 0; call < 256; call++) keys.push((await app.inject('/key/1')).body)
    expect(new Set(keys).size).toBe(256)
    const answer = await app.inject({ url: '/key/1', headers: JSON_CLIENT })
    expect(answer.statusCode).toBe(409)
    expect(answer.json()).toMatchObject({ type: '/problems/keyspace-exhausted', status: 409 })
    expect((await app.inject('/key/2')).statusCode).toBe(200)
  })

  test('no key comes twice in many calls at once, by GET and POST, one and many', async () => {
    const app = await unique()
    const calls = Array.from({ length: 200 }, (_, index) =>
      app.inject({ method: index % 2 ? 'GET' : 'POST', url: `/key/2?count=${(index % 7) + 1}` }),
    )
    const keys = (await Promise.all(calls)).flatMap(({ body }) => linesOf(body))
    expect(keys).toHaveLength(
      Array.from({ length: 200 }, (_, index) => (index % 7) + 1).reduce((a, b) => a + b),
    )
    expect(new Set(keys).size).toBe(keys.length)
  })

  test.for([1, 2, 3, 7, 8, 15])(
    'a key of %i bytes says that it is unique, and in which period',
    async (length) => {
      const app = await unique()
      for (const method of ['GET', 'POST'] as const) {
        const answer = await app.inject({ method, url: `/key/${length}`, headers: JSON_CLIENT })
        expect(answer.headers['key-period']).toBe('1')
        expect(answer.json()).toEqual({
          key: expect.stringMatching(keyPattern(length)),
          length,
          format: DEFAULT_FORMAT,
          entropyBits: 8 * length,
          unique: true,
          period: 1,
        })
        expect((await app.inject({ method, url: `/key/${length}` })).headers['key-period']).toBe('1')
      }
    },
  )

  test('keys of 16 bytes are random as ever, and ask no store', async () => {
    const store = new MoodyStore()
    const app = await unique(store)
    const { operations } = store
    const answer = await app.inject({ url: '/key/16', headers: JSON_CLIENT })
    expect(answer.headers).not.toHaveProperty('key-period')
    expect(answer.json()).not.toHaveProperty('unique')
    expect(store.operations).toBe(operations)
  })

  test.for(['raw', 'base32', 'base58', 'base64url'])('keys come as %s too', async (format) => {
    const app = await unique()
    expect((await app.inject(`/key/8?format=${format}`)).statusCode).toBe(200)
  })

  test('HEAD answers the headers of a GET and uses up nothing', async () => {
    const app = await unique()
    await app.inject('/key/1?count=255')
    for (let call = 0; call < 300; call++) {
      const answer = await app.inject({ method: 'HEAD', url: '/key/1', headers: JSON_CLIENT })
      expect(answer.statusCode).toBe(200)
    }
    const head = await app.inject({ method: 'HEAD', url: '/key/1', headers: JSON_CLIENT })
    const get = await app.inject({ url: '/key/1', headers: JSON_CLIENT })
    const { date: _date, ...headers } = head.headers
    expect(get.headers).toMatchObject(headers)
    await vi.waitFor(async () => {
      expect((await app.inject({ method: 'HEAD', url: '/key/1' })).statusCode).toBe(409)
    })
  })

  test('a list is whole or an error that uses up nothing', async () => {
    const app = await unique()
    expect(linesOf((await app.inject('/key/1?count=250')).body)).toHaveLength(250)
    expect((await app.inject('/key/1?count=7')).statusCode).toBe(409)
    expect((await app.inject('/key/1?count=1000')).statusCode).toBe(409)
    expect(linesOf((await app.inject('/key/1?count=6')).body)).toHaveLength(6)
  })

  test('what a client that went away did not receive is not dealt again', async () => {
    const { app, port } = await listen({ unique: true, keyspaceSecret: SECRET }, { store: new MemoryStore() })
    for (let call = 0; call < 20; call++) await converse(port, kept('GET', '/key/1'), 'reset')
    const keys: string[] = []
    for (;;) {
      const { statusCode, body } = await app.inject('/key/1')
      if (statusCode !== 200) break
      keys.push(body)
    }
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.length).toBeLessThanOrEqual(256)
    expect(app.dealer?.totals(1)).toMatchObject({ left: 0, lost: 0 })
  })

  test('servers that share a store, and one after another, never deal the same', async () => {
    const store = new MemoryStore()
    const keys: string[] = []
    for (let life = 0; life < 3; life++) {
      const apps = [await unique(store), await unique(store)]
      for (let call = 0; call < 20; call++) {
        for (const app of apps) keys.push((await app.inject('/key/1')).body)
      }
      await Promise.all(apps.map((app) => app.close()))
    }
    expect(new Set(keys).size).toBe(120)
  })

  test('a request that waits for a lease when the server stops gets its key, and the rest is given back', async () => {
    const store = new MoodyStore()
    const { app, port } = await listen({ unique: true, keyspaceSecret: SECRET }, { store })
    const gate = Promise.withResolvers<void>()
    store.gate = gate.promise
    const { operations } = store
    const answer = converse(port, request('GET', '/key/2'))
    await vi.waitFor(() => expect(store.operations).toBeGreaterThan(operations), PATIENCE)
    const closed = app.close()
    gate.resolve()
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
    await closed
    const { state } = await store.read()
    expect(JSON.parse(`${state}`).lengths['2']).toEqual({ mark: 16, free: [[1, 15]], leases: [], lost: 0 })
  })
})

describe('a store that is away', () => {
  test('stops short keys alone, once there is no lease', async () => {
    const store = new MoodyStore()
    const app = await unique(store)
    await app.inject('/key/8')
    store.away = true
    for (let call = 0; call < 15; call++) expect((await app.inject('/key/8')).statusCode).toBe(200)
    for (const method of ['GET', 'POST'] as const) {
      const answer = await app.inject({ method, url: '/key/8', headers: JSON_CLIENT })
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toBe('1')
      expect(answer.json()).toMatchObject({ type: '/problems/keyspace-unavailable' })
    }
    expect((await app.inject({ method: 'HEAD', url: '/key/8' })).statusCode).toBe(503)
    for (const url of ['/key/16', '/livez', '/readyz']) expect((await app.inject(url)).statusCode).toBe(200)
    expect((await scrape(app)).get('keyspace_store_errors_total')).toBeGreaterThan(0)
  })

  test('is told of at the start when only an operator can change it', async () => {
    const store = new MoodyStore()
    store.away = true
    await expect(unique(store)).rejects.toThrow('the store is away')
  })
})

test('a file is the store by default, with a secret beside it, and survives the server', async () => {
  const folder = await newFolder()
  const overrides = { unique: true, store: `${folder}/data/keys.db` }
  const keys: string[] = []
  for (let life = 0; life < 3; life++) {
    const app = await buildApp(overrides)
    for (let call = 0; call < 30; call++) keys.push((await app.inject('/key/1')).body)
    await app.close()
  }
  expect(new Set(keys).size).toBe(90)
  await expect(buildApp({ ...overrides, keyspaceSecret: SECRET })).rejects.toThrow(/^KEYSPACE_SECRET is not/)
})

test('the metrics tell what is used, left and lost, by length', async () => {
  const app = await unique(new MemoryStore(), { minSize: 1, maxSize: 3 })
  await app.inject('/key/1?count=256')
  await vi.waitFor(async () => {
    await app.inject('/key/1')
    const samples = await scrape(app)
    expect(samples.get('keyspace_left_keys{length="1"}')).toBe(0)
    expect(samples.get('keyspace_lost_keys{length="1"}')).toBe(0)
    expect(samples.get('keyspace_left_keys{length="3"}')).toBe(16_777_216)
    expect(samples.get('keyspace_fenced')).toBe(0)
    expect(samples.get('keyspace_leases_total')).toBe(1)
    expect(samples.get('keyspace_swap_conflicts_total')).toBe(0)
    expect([...samples.keys()].filter((name) => name.startsWith('keyspace_used_keys'))).toHaveLength(3)
  })
})

test('the metrics tell the period, and its end if it has one', async () => {
  const app = await unique(new MemoryStore(), { rotateEvery: 30 })
  const before = await scrape(app)
  expect(before.get('keyspace_period')).toBe(1)
  const [start, end] = ['start', 'end'].map((name) => before.get(`keyspace_period_${name}_timestamp_seconds`))
  expect(Math.abs(Number(start) - Date.now() / 1000)).toBeLessThan(3600)
  expect(Number(end) - Number(start)).toBeCloseTo(30 * 86_400)
  await app.dealer?.replica.rotate()
  expect((await scrape(app)).get('keyspace_period')).toBe(2)
  const endless = await scrape(await unique())
  expect(endless.has('keyspace_period_start_timestamp_seconds')).toBe(true)
  expect(endless.has('keyspace_period_end_timestamp_seconds')).toBe(false)
})

test('without -unique nothing says a word of it', async () => {
  const app = await buildApp()
  expect(app.dealer).toBeUndefined()
  const answer = await app.inject({ url: '/key/2', headers: JSON_CLIENT })
  expect(answer.headers).not.toHaveProperty('key-period')
  expect(Object.keys(answer.json())).toEqual(['key', 'length', 'format', 'entropyBits'])
  expect([...(await scrape(app)).keys()].join()).not.toContain('keyspace')
})
