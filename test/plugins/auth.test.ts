import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { listen, scrape } from '../helper.ts'
import { counted, exchange, request } from '../tcp.ts'
import { admin, bearer, expired, FILE, good, guardedApp, revoked, scraper, unique } from './guarded-app.ts'

const CHANGED = good.secret.replace(/_./, good.secret[3] === '0' ? '_1' : '_0')

const wrong: [name: string, authorization: string][] = [
  ['an expired key', `Bearer ${expired.secret}`],
  ['a revoked key', `Bearer ${revoked.secret}`],
  ['a key cut short', `Bearer ${good.secret.slice(0, -1)}`],
  ['a key twice', `Bearer ${good.secret}${good.secret}`],
  ['two keys', `Bearer ${good.secret} ${good.secret}`],
  ['two keys in a list', `Bearer ${good.secret}, Bearer ${good.secret}`],
  ['a key with a digit changed', `Bearer ${CHANGED}`],
  ['a key of 10 KB', `Bearer ks_${'0'.repeat(10_000)}`],
  ['the hash of a key', `Bearer ${good.entry.sha256}`],
  ['a key by itself', good.secret],
  ['another scheme', `Basic ${Buffer.from(`good:${good.secret}`).toString('base64')}`],
  ['a scheme alone', 'Bearer'],
  ['nothing', ''],
]

describe('with a file of API keys', () => {
  test.for(['GET', 'POST', 'HEAD'] as const)('a %s without one is asked for it', async (method) => {
    const app = await guardedApp()
    const { statusCode, headers } = await app.inject({ method, url: '/key/16' })
    expect([statusCode, headers['www-authenticate']]).toEqual([401, 'Bearer realm="key-server"'])
  })

  test.for(wrong)('%s is refused in the same words', async ([, authorization]) => {
    const app = await guardedApp()
    const { statusCode, headers, body } = await app.inject({ url: '/key/16', headers: { authorization } })
    expect([statusCode, headers['www-authenticate'], headers['cache-control'], body]).toEqual([
      401,
      'Bearer realm="key-server", error="invalid_token"',
      'no-store',
      'A valid API key is needed, sent as Authorization: Bearer\n',
    ])
  })

  test('one of 100 KB is cut off', async () => {
    const { port } = await listen({ apiKeysFile: 'given' }, { apiKeys: FILE })
    const line = `Authorization: Bearer ks_${'0'.repeat(100_000)}`
    expect((await exchange(port, request('GET', '/key/16', [line]))).status).toBe(431)
  })

  test('a header that stands twice is refused, though each is good', async () => {
    const { app, port } = await listen({ apiKeysFile: 'given' }, { apiKeys: FILE })
    const line = `Authorization: Bearer ${good.secret}`
    expect((await exchange(port, request('GET', '/key/16', [line]))).status).toBe(200)
    expect((await exchange(port, request('GET', '/key/16', [line, line]))).status).toBe(401)
    expect(await counted(app)).toEqual(['200 key 1', '401 key 1'])
  })

  test.for(['/key/16?token=', '/key/16?access_token=', '/key/16?api_key='])(
    '%s in a URL is no credential',
    async (url) => {
      expect((await (await guardedApp()).inject(url + good.secret)).statusCode).toBe(401)
    },
  )

  test.for(['GET', 'POST', 'HEAD'] as const)('a good one lets a %s through', async (method) => {
    const app = await guardedApp()
    const { statusCode } = await app.inject({ method, url: '/key/16', headers: bearer(good.secret) })
    expect(statusCode).toBe(200)
  })

  test('the scheme is known in any case', async () => {
    const headers = { authorization: `bEARER ${good.secret}` }
    expect((await (await guardedApp()).inject({ url: '/key/16', headers })).statusCode).toBe(200)
  })

  test('a wrong call is asked for a key before it is told what is wrong', async () => {
    const app = await guardedApp()
    expect((await app.inject('/key/0')).statusCode).toBe(401)
    expect((await app.inject({ url: '/key/0', headers: bearer(good.secret) })).statusCode).toBe(400)
    expect((await app.inject({ method: 'POST', url: '/key/16', payload: 'a' })).statusCode).toBe(401)
  })

  test.for(['/livez', '/healthz', '/readyz', '/metrics'])('%s asks for none', async (url) => {
    expect((await (await guardedApp()).inject(url)).statusCode).toBe(200)
  })

  test('a client of JSON gets a problem document', async () => {
    const answer = await (await guardedApp()).inject({
      url: '/key/16',
      headers: { accept: 'application/json' },
    })
    expect([answer.headers['content-type'], answer.json().type]).toEqual([
      'application/problem+json',
      '/problems/unauthorized',
    ])
  })
})

describe('a scope', () => {
  test('is needed for keys', async () => {
    const { statusCode, headers, body } = await (await guardedApp()).inject({
      url: '/key/16',
      headers: bearer(scraper.secret),
    })
    expect([statusCode, headers['www-authenticate'], body]).toEqual([
      403,
      'Bearer realm="key-server", error="insufficient_scope", scope="key"',
      'This API key may not do that: it lacks the scope key\n',
    ])
  })

  test.for(['GET', 'POST', 'HEAD'] as const)('is needed for a %s of a unique key', async (method) => {
    const app = await guardedApp({ unique: true })
    const statuses = [good, unique].flatMap(({ secret }) =>
      ['/key/15', '/key/16'].map(async (url) => {
        return (await app.inject({ method, url, headers: bearer(secret) })).statusCode
      }),
    )
    expect(await Promise.all(statuses)).toEqual([403, 200, 200, 200])
  })

  test('for unique keys is not needed where none are', async () => {
    const app = await guardedApp()
    expect((await app.inject({ url: '/key/2', headers: bearer(good.secret) })).statusCode).toBe(200)
  })

  test('is needed for metrics with -auth-metrics alone', async () => {
    const app = await guardedApp({ authMetrics: true })
    const answers = [{}, bearer(good.secret), bearer(scraper.secret)].map((headers) =>
      app.inject({ url: '/metrics', headers }),
    )
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode)).toEqual([401, 403, 200])
  })
})

describe('POST /rotation', () => {
  const rotate = (app: FastifyInstance, headers = {}) =>
    app.inject({ method: 'POST', url: '/rotation', headers })

  test('is for the scope admin, and for nothing else', async () => {
    const app = await guardedApp({ unique: true })
    expect((await rotate(app)).statusCode).toBe(401)
    for (const { secret } of [good, unique, scraper]) {
      expect((await rotate(app, bearer(secret))).statusCode).toBe(403)
    }
    const answer = await rotate(app, bearer(admin.secret))
    expect([answer.statusCode, answer.json().period]).toEqual([200, 2])
  })

  test('counts against the limit of its address, so that nobody can guess without end', async () => {
    const app = await guardedApp({ unique: true, rateLimitAddress: 2 })
    const codes = []
    for (let call = 0; call < 3; call++) codes.push((await rotate(app)).statusCode)
    expect(codes).toEqual([401, 401, 429])
  })
})

test('the id of an API key is the field key-id of salt', async () => {
  const app = await guardedApp({ saltFrom: 'key-id' })
  expect((await app.inject({ url: '/key/16', headers: bearer(good.secret) })).statusCode).toBe(200)
  expect((await scrape(app)).get('salt_fields_missing_total{field="key-id"}')).toBe(0)
})
