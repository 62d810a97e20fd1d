import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test, vi } from 'vitest'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { buildApp, listen, newFolder, PATIENCE, Recorder, scrape } from '../helper.ts'
import { exchange, request } from '../tcp.ts'

const TOKEN = 'a token of an administrator, for tests'
const JSON_CLIENT = { accept: 'application/json' }
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

const unique = (overrides = {}, store: Store = new MemoryStore()): Promise<FastifyInstance> =>
  buildApp({ unique: true, rotateEvery: 30, ...overrides }, { store })

async function tokenFile(token = `${TOKEN}\n`): Promise<string> {
  const path = join(await newFolder(), 'token')
  await writeFile(path, token)
  return path
}

const rotate = (app: FastifyInstance, token = TOKEN, headers = {}) =>
  app.inject({ method: 'POST', url: '/rotation', headers: { authorization: `Bearer ${token}`, ...headers } })

describe('each unique key says until when', () => {
  test.for(['GET', 'POST', 'HEAD'] as const)('by %s, in a header and in JSON', async (method) => {
    const app = await unique()
    const { endsAt } = (await app.inject('/rotation')).json()
    expect(endsAt).toMatch(RFC3339)
    for (const headers of [{}, JSON_CLIENT]) {
      const answer = await app.inject({ method, url: '/key/2?count=2', headers })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).toMatchObject({ 'key-period': '1', 'key-expires': endsAt })
      if (method === 'HEAD') continue
      expect(answer.headers['content-length']).toBe(`${answer.body.length}`)
      if (headers === JSON_CLIENT) expect(answer.json()).toMatchObject({ period: 1, expiresAt: endsAt })
    }
  })

  test('HEAD knows how long the JSON will be', async () => {
    const app = await unique()
    const [head, get] = [
      await app.inject({ method: 'HEAD', url: '/key/2', headers: JSON_CLIENT }),
      await app.inject({ url: '/key/2', headers: JSON_CLIENT }),
    ]
    expect(head.headers['content-length']).toBe(`${get.body.length}`)
  })

  test('not where nothing says so, nor for random keys', async () => {
    const endless = await unique({ rotateEvery: 0 })
    for (const [app, url] of [
      [endless, '/key/2'],
      [await unique(), '/key/16'],
      [await buildApp(), '/key/2'],
    ] as const) {
      const answer = await app.inject({ url, headers: JSON_CLIENT })
      expect(answer.headers).not.toHaveProperty('key-expires')
      expect(answer.json()).not.toHaveProperty('expiresAt')
    }
  })

  test('and a length that is used up when there will be more', async () => {
    const app = await unique({ rotateEvery: 1 })
    await app.inject('/key/1?count=256')
    for (const method of ['GET', 'POST', 'HEAD'] as const) {
      const answer = await app.inject({ method, url: '/key/1' })
      expect(answer.statusCode).toBe(409)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(86_000)
    }
    const endless = await unique({ rotateEvery: 0 })
    await endless.inject('/key/1?count=256')
    expect((await endless.inject('/key/1')).headers).not.toHaveProperty('retry-after')
  })
})

describe('GET /rotation', () => {
  test('tells policy, period and what is used and left', async () => {
    const app = await unique({ maxSize: 2 })
    await app.inject('/key/1?count=16')
    const answer = await app.inject('/rotation')
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    const { startedAt, endsAt, lengths, ...report } = answer.json()
    expect(report).toEqual({
      policy: { rotateEveryDays: 30 },
      period: 1,
      fenced: false,
      latestEvent: 0,
      events: [],
      webhooks: [],
    })
    expect(Date.parse(endsAt) - Date.parse(startedAt)).toBe(30 * 86_400_000)
    expect(lengths).toMatchObject([{ length: 1 }, { length: 2, used: 0, left: 65_536, lost: 0, leased: 0 }])
    const { used, left, lost, leased } = lengths[0]
    expect(used + left + lost + leased).toBe(256)
  })

  test('tells the events since one', async () => {
    const app = await unique({ rotateEvery: 0 })
    for (let rotation = 0; rotation < 3; rotation++) await app.dealer?.replica.rotate()
    const idsOf = async (query: string) =>
      (await app.inject(`/rotation${query}`)).json().events.map(({ id }: { id: number }) => id)
    expect(await idsOf('')).toEqual([1, 2, 3])
    expect(await idsOf('?since=0')).toEqual([1, 2, 3])
    expect(await idsOf('?since=1')).toEqual([2, 3])
    expect(await idsOf('?since=03&more=1')).toEqual([])
    expect((await app.inject('/rotation')).json().events[0]).toEqual({
      id: 1,
      type: 'rotation.completed',
      timestamp: expect.stringMatching(RFC3339),
      data: { period: 2, reason: 'requested' },
    })
  })

  test.for([
    ['of the future', '?since=1', 'invalid-since'],
    ['past exact numbers', '?since=9007199254740993', 'invalid-since'],
    ['that is negative', '?since=-1', 'invalid-since'],
    ['in words', '?since=yesterday', 'invalid-since'],
    ['that is empty', '?since=', 'invalid-since'],
    ['given twice', '?since=0&since=0', 'repeated-parameter'],
  ] as const)('refuses an id %s', async ([, query, type]) => {
    const answer = await (await unique()).inject({ url: `/rotation${query}`, headers: JSON_CLIENT })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ type: `/problems/${type}` })
  })

  test('is not there without -unique', async () => {
    expect((await (await buildApp()).inject('/rotation')).statusCode).toBe(404)
  })
})

describe('POST /rotation', () => {
  const admin = async (token?: string) => unique({ admin: true, adminTokenFile: await tokenFile(token) })

  test('begins a period, which the next key is of', async () => {
    const app = await admin()
    await app.inject('/key/1?count=200')
    const answer = await rotate(app)
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({
      period: 2,
      events: [{ id: 1, type: 'rotation.completed', data: { period: 2, reason: 'requested' } }],
    })
    const keys = (await app.inject('/key/1?count=200')).body
    expect(new Set(keys.trimEnd().split('\n')).size).toBe(200)
    expect((await app.inject('/key/1')).headers['key-period']).toBe('2')
  })

  test('asked of two servers in the same instant begins one', async () => {
    const store = new MemoryStore()
    const overrides = {
      admin: true,
      adminTokenFile: await tokenFile(),
      keyspaceSecret: 'a secret of more than 32 bytes for tests',
    }
    const apps = [await unique(overrides, store), await unique(overrides, store)]
    const answers = await Promise.all(apps.map((app) => rotate(app)))
    expect(answers.map((answer) => answer.json().period)).toEqual([2, 2])
  })

  test.for<[string, string | undefined]>([
    ['none', undefined],
    ['an empty one', 'Bearer '],
    ['another one', `Bearer ${TOKEN.replace('a', 'b')}`],
    ['one that begins the same', `Bearer ${TOKEN}s`],
    ['one that ends too soon', `Bearer ${TOKEN.slice(0, -1)}`],
    ['another scheme', `Basic ${TOKEN}`],
    ['no scheme', TOKEN],
  ])('refuses whoever has %s for a token, and rotates nothing', async ([, authorization]) => {
    const app = await admin()
    const answer = await app.inject({
      method: 'POST',
      url: '/rotation',
      headers: { ...JSON_CLIENT, ...(authorization !== undefined && { authorization }) },
    })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.json()).toMatchObject({ type: '/problems/admin-token-needed' })
    expect((await app.inject('/rotation')).json().period).toBe(1)
  })

  test('takes a token that is no ASCII, and the one that the file holds now', async () => {
    const token = `${'schlüssel '.repeat(4)}.`
    const file = await tokenFile(token)
    const { app, port } = await listen(
      { unique: true, admin: true, adminTokenFile: file },
      { store: new MemoryStore() },
    )
    const header = `Authorization: bearer ${Buffer.from(token).toString('latin1')}`
    expect((await exchange(port, request('POST', '/rotation', [header]))).status).toBe(200)
    await writeFile(file, TOKEN)
    expect((await exchange(port, request('POST', '/rotation', [header]))).status).toBe(401)
    expect((await rotate(app)).statusCode).toBe(200)
  })

  test('lets nobody in when the file is gone or emptied, and says so in the log alone', async () => {
    const file = await tokenFile()
    const log = new Recorder()
    const app = await buildApp(
      { unique: true, admin: true, adminTokenFile: file },
      { store: new MemoryStore(), log },
    )
    await writeFile(file, '')
    for (const token of ['', TOKEN]) expect((await rotate(app, token)).statusCode).toBe(500)
    expect(log.text).toContain('the admin token is too short')
    expect(log.text).not.toContain(TOKEN)
  })

  test.for(['application/json', 'nonsense'])('takes no body, of type %s', async (type) => {
    const app = await admin()
    const call = { method: 'POST' as const, url: '/rotation', payload: '{}' }
    const headers = { 'content-type': type }
    expect((await app.inject({ ...call, headers })).statusCode).toBe(401)
    const authorization = `Bearer ${TOKEN}`
    expect((await app.inject({ ...call, headers: { ...headers, authorization } })).statusCode).toBe(413)
    expect((await rotate(app, TOKEN, headers)).statusCode).toBe(200)
  })

  test('is not there without -admin', async () => {
    const answer = await rotate(await unique())
    expect(answer.statusCode).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD')
  })

  test('is counted as no key call', async () => {
    const app = await admin()
    await rotate(app)
    await rotate(app, 'wrong')
    await vi.waitFor(async () => {
      const samples = await scrape(app)
      expect(samples.get('http_status_codes{code="401",handler="other"}')).toBe(1)
      expect(samples.get('http_status_codes{code="200",handler="key"}')).toBe(0)
    }, PATIENCE)
  })
})
