import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hashSecret, newSecret } from '../../src/access/api-keys.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { buildApp, listen, Recorder, scrape } from '../helper.ts'
import { converse, counted, exchange, noHost, request } from '../tcp.ts'

const secrets = [newSecret(), newSecret()]
const apiKeys = JSON.stringify({
  keys: secrets.map((secret, index) => ({
    id: `client-${index}`,
    sha256: hashSecret(secret).toString('hex'),
    scopes: ['key', 'metrics'],
  })),
})

async function statuses(
  app: FastifyInstance,
  calls: readonly {
    url?: string
    from?: string
    by?: string
    method?: 'GET' | 'DELETE'
    forwarded?: string
  }[],
): Promise<number[]> {
  const found: number[] = []
  for (const { url = '/key/16', from = '192.0.2.1', by, method = 'GET', forwarded } of calls) {
    const headers = {
      ...(by && { authorization: `Bearer ${by}` }),
      ...(forwarded && { 'x-forwarded-for': forwarded }),
    }
    found.push((await app.inject({ method, url, remoteAddress: from, headers })).statusCode)
  }
  return found
}

const times = <T>(count: number, call: T): T[] => Array.from({ length: count }, () => call)

describe('an address', () => {
  test('that calls once too often is told when to come again', async () => {
    const app = await buildApp({ rateLimitAddress: 2, rateLimitWindow: 3600 })
    expect(await statuses(app, times(2, {}))).toEqual([200, 200])
    const { statusCode, headers, body } = await app.inject({ url: '/key/16', remoteAddress: '192.0.2.1' })
    const seconds = Number(headers['retry-after'])
    expect([statusCode, body]).toEqual([429, `Too many requests: try again in ${seconds} seconds\n`])
    expect(seconds).toBeGreaterThan(3000)
    expect(seconds).toBeLessThanOrEqual(3600)
  })

  test('gets a problem document as a client of JSON', async () => {
    const app = await buildApp({ rateLimitAddress: 1 })
    await app.inject('/key/16')
    const answer = await app.inject({ url: '/key/16', headers: { accept: 'application/json' } })
    expect([answer.statusCode, answer.json().type]).toEqual([429, '/problems/too-many-requests'])
  })

  test('is the one that a trusted proxy names, and only a trusted one', async () => {
    const app = await buildApp({ rateLimitAddress: 1, trustProxy: '10.0.0.0/8' })
    const through = (from: string, forwarded: string) => ({ from, forwarded })
    const trusted = [through('10.1.2.3', '203.0.113.1'), through('10.1.2.3', '203.0.113.2')]
    expect(await statuses(app, [...trusted, ...trusted])).toEqual([200, 200, 429, 429])
    // What a client writes itself stands before what the proxy adds.
    expect(await statuses(app, [through('10.1.2.3', '198.51.100.7, 203.0.113.1')])).toEqual([429])
    const forged = ['203.0.113.3', '203.0.113.4'].map((forwarded) => through('192.0.2.1', forwarded))
    expect(await statuses(app, forged)).toEqual([200, 429])
  })

  test.for([
    ['a port too', '198.51.100.7:4711'],
    ['a port too, after IPv6', '[2001:db8::1]:4711'],
    ['a word', 'unknown'],
    ['9,000 letters', 'a'.repeat(9000)],
  ] as const)('is that of the proxy where it names %s', async ([, forwarded]) => {
    const app = await buildApp({ rateLimitAddress: 1, trustProxy: '10.0.0.0/8' })
    const calls = [forwarded, `${forwarded}1`, undefined].map((name) => ({
      from: '10.1.2.3',
      ...(name && { forwarded: name }),
    }))
    expect(await statuses(app, calls)).toEqual([200, 429, 429])
    expect(await statuses(app, [{ from: '10.1.2.4', forwarded }])).toEqual([200])
  })

  test('costs others nothing', async () => {
    const app = await buildApp({ rateLimitAddress: 1 })
    const calls = ['192.0.2.1', '192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8:0:1::1']
    expect(
      await statuses(
        app,
        calls.map((from) => ({ from })),
      ),
    ).toEqual([200, 429, 200, 200, 200])
  })

  test.for([
    ['2001:db8:0:1::1', '2001:db8:0:1:ffff:ffff:ffff:ffff'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ] as const)('%s is that of %s', async ([one, other]) => {
    const app = await buildApp({ rateLimitAddress: 1 })
    expect(await statuses(app, [{ from: one }, { from: other }])).toEqual([200, 429])
  })

  test('is not what a client says of itself', async () => {
    const app = await buildApp({ rateLimitAddress: 1 })
    const calls = ['198.51.100.1', '198.51.100.2', '127.0.0.1, 198.51.100.3']
    expect(
      await statuses(
        app,
        calls.map((forwarded) => ({ forwarded })),
      ),
    ).toEqual([200, 429, 429])
  })

  test.for([
    ['wrong lengths', '/key/0', 400],
    ['unknown paths', '/nothing', 404],
    ['another method', '/key/16', 405],
    ['bad escapes', '/key/%zz', 400],
    ['bad escapes elsewhere', '/%zz', 400],
    ['over-long parameters', `/key/${'1'.repeat(101)}`, 400],
  ] as const)('is limited in %s too', async ([, url, usual]) => {
    const app = await buildApp({ rateLimitAddress: 2 })
    const method = usual === 405 ? 'DELETE' : 'GET'
    expect(await statuses(app, times(3, { method, url }))).toEqual([usual, usual, 429])
  })

  test('is limited in requests without a Host too, each of which counts once', async () => {
    const { app, port } = await listen({ rateLimitAddress: 2 })
    const wrong = noHost('/key/16')
    const found: number[] = []
    for (const bytes of [wrong, request('GET', '/key/16'), wrong, wrong]) {
      found.push((await exchange(port, bytes)).status)
    }
    expect(found).toEqual([400, 200, 429, 429])
    expect(await counted(app)).toEqual(['200 key 1', '400 key 1', '429 key 2'])
  })

  test('is limited in calls of * too', async () => {
    const { port } = await listen({ rateLimitAddress: 2 })
    const found: number[] = []
    for (let call = 0; call < 3; call++) found.push((await exchange(port, request('GET', '*'))).status)
    expect(found).toEqual([404, 404, 429])
  })

  test.for(['/livez', '/healthz', '/readyz', '/metrics'])('is not limited at %s', async (url) => {
    const { app, port } = await listen({ rateLimitAddress: 1 })
    expect(await statuses(app, times(5, { url }))).toEqual(times(5, 200))
    for (let call = 0; call < 3; call++) expect((await exchange(port, noHost(url))).status).toBe(400)
  })

  test('is limited before its credential is looked at', async () => {
    const app = await buildApp({ rateLimitAddress: 2, apiKeysFile: 'given' }, { apiKeys })
    expect(await statuses(app, [{ by: 'a' }, {}, { by: 'b' }, { by: `${secrets[0]}` }])).toEqual([
      401, 401, 429, 429,
    ])
  })

  test('is limited at metrics that ask for a key', async () => {
    const app = await buildApp({ rateLimitAddress: 1, apiKeysFile: 'given', authMetrics: true }, { apiKeys })
    const call = { url: '/metrics', by: `${secrets[0]}` }
    expect(await statuses(app, [call, call])).toEqual([200, 429])
  })

  test('may call again in the next window', { timeout: 60_000 }, async () => {
    const app = await buildApp({ rateLimitAddress: 1, rateLimitWindow: 1 })
    while ((await statuses(app, [{}]))[0] === 200);
    let again = 429
    while (again === 429) [again = 0] = await statuses(app, [{}])
    expect(again).toBe(200)
  })

  test('of a client that is gone before it is looked at is no failure', async () => {
    const { app, port } = await listen({ rateLimitAddress: 1_000_000 })
    for (let call = 0; call < 300; call++) await converse(port, request('GET', '/key/16'), 'reset')
    expect((await scrape(app)).get('http_status_codes{code="500",handler="key"}')).toBe(0)
  })

  test('is counted where it is refused, as a key call or another', async () => {
    const { app, port } = await listen({ rateLimitAddress: 1 })
    for (const target of ['/key/16', '/key/16', '/nothing']) await exchange(port, request('GET', target))
    expect(await counted(app)).toEqual(['200 key 1', '429 key 1', '429 other 1'])
    const metrics = await scrape(app)
    expect(metrics.get('rate_limit_refused_total{by="address"}')).toBe(2)
  })
})

describe('a client', () => {
  const limited = (overrides: Partial<Config> = {}) =>
    buildApp({ rateLimitClient: 2, apiKeysFile: 'given', ...overrides }, { apiKeys })

  test('is limited wherever it calls from, and costs others nothing', async () => {
    const app = await limited()
    const calls = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((from) => ({ from, by: `${secrets[0]}` }))
    expect(await statuses(app, [...calls, { by: `${secrets[1]}` }])).toEqual([200, 200, 429, 200])
    expect((await scrape(app)).get('rate_limit_refused_total{by="client"}')).toBe(1)
  })

  test('is not used up by whoever guesses', async () => {
    const app = await limited()
    expect(await statuses(app, [...times(5, { by: 'guess' }), { by: `${secrets[0]}` }])).toEqual([
      ...times(5, 401),
      200,
    ])
  })
})

test('without a limit nothing is limited or counted', async () => {
  const app = await buildApp()
  expect(await statuses(app, times(50, {}))).toEqual(times(50, 200))
  expect([...(await scrape(app)).keys()].filter((name) => name.startsWith('rate_limit'))).toEqual([])
})

describe('with a store that', () => {
  const SILENT = 'never answers'
  const GONE = 'is away'

  /** The URL of a store of that kind. */
  async function storeThat(kind: string): Promise<string> {
    const sockets: Socket[] = []
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const close = () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    if (kind === GONE) close()
    else onTestFinished(close)
    return `redis://:hunter2@127.0.0.1:${port}`
  }

  test.for([GONE, SILENT])('%s, the limit of this server holds', async (kind) => {
    const log = new Recorder()
    const app = await buildApp({ rateLimitAddress: 3, rateLimitStore: await storeThat(kind) }, { log })
    const found = await statuses(app, times(5, {}))
    expect(found).toEqual([200, 200, 200, 429, 429])
    expect(log.text).toContain('The store of rate limits is away')
    expect(log.text).not.toContain('hunter2')
    const metrics = await scrape(app)
    expect(metrics.get('rate_limit_store_healthy')).toBe(0)
    expect(metrics.get('rate_limit_store_errors_total')).toBeGreaterThan(0)
  })
})
