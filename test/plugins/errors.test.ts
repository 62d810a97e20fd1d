import type { FastifyInstance, InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { loggedPath } from '../../src/request-log.ts'
import { buildApp, listen, Recorder, scrape } from '../helper.ts'
import { counted, exchange, request } from '../tcp.ts'

const JSON_CLIENT = { accept: 'application/json' }
const LONG = '1'.repeat(5000)
const MARKER = 'marker-of-a-failure-4711'

/** An app with a defect that each key call meets, and what mends it. */
async function brokenApp(log = new Recorder()): Promise<{ app: FastifyInstance; mend: () => void }> {
  const app = await buildApp({}, { log })
  const { counters } = app
  const handedOut = counters.handedOut.bind(counters)
  counters.handedOut = () => {
    throw new Error(MARKER)
  }
  const mend = () => {
    counters.handedOut = handedOut
  }
  return { app, mend }
}

const unhealthyApp = () => buildApp({}, { randomSource: (bytes) => bytes.fill(0) })

async function drainingApp(): Promise<FastifyInstance> {
  const app = await buildApp()
  app.health.drain()
  return app
}

interface Refusal {
  readonly type: string
  readonly status: number
  readonly call: InjectOptions
  readonly app?: () => Promise<FastifyInstance>
}

const refusals: Refusal[] = [
  { type: 'invalid-key-length', status: 400, call: { url: '/key/0' } },
  { type: 'unknown-format', status: 400, call: { url: '/key/16?format=x' } },
  { type: 'invalid-count', status: 400, call: { url: '/key/16?count=0' } },
  { type: 'batch-too-large', status: 400, call: { url: '/key/32?count=9' } },
  { type: 'invalid-prefix', status: 400, call: { url: '/key/16?prefix=a/b' } },
  { type: 'unknown-checksum', status: 400, call: { url: '/key/16?checksum=md5' } },
  { type: 'repeated-parameter', status: 400, call: { url: '/key/16?prefix=a&prefix=b' } },
  { type: 'raw-not-combinable', status: 400, call: { url: '/key/16?format=raw&prefix=a' } },
  { type: 'base58-too-large', status: 400, call: { url: '/key/65?format=base58' } },
  { type: 'body-not-allowed', status: 413, call: { method: 'POST', url: '/key/16', payload: 'a' } },
  { type: 'not-found', status: 404, call: { url: '/nothing' } },
  { type: 'method-not-allowed', status: 405, call: { method: 'DELETE', url: '/key/16' } },
  { type: 'malformed-request', status: 400, call: { url: '/%zz' } },
  { type: 'not-ready', status: 503, call: { url: '/readyz' }, app: drainingApp },
  { type: 'entropy-unavailable', status: 503, call: { url: '/key/16' }, app: unhealthyApp },
  {
    type: 'internal-error',
    status: 500,
    call: { url: '/key/16' },
    app: async () => (await brokenApp()).app,
  },
]
const smallApp = () => buildApp({ maxBatchBytes: 256, maxSize: 256 })

describe('a refusal', () => {
  test.for(refusals)('of type $type is a problem document to a client of JSON', async (refusal) => {
    const app = await (refusal.app ?? smallApp)()
    const answer = await app.inject({ ...refusal.call, headers: JSON_CLIENT })
    expect([answer.statusCode, answer.headers['content-type'], answer.json()]).toEqual([
      refusal.status,
      'application/problem+json',
      {
        type: `/problems/${refusal.type}`,
        title: expect.stringMatching(/^[A-Z]/),
        status: refusal.status,
        detail: expect.stringMatching(/^[A-Z]/),
      },
    ])
  })

  test.for(refusals)('of type $type is one line of text to any other client', async (refusal) => {
    const app = await (refusal.app ?? smallApp)()
    const answer = await app.inject(refusal.call)
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([
      refusal.status,
      'text/plain; charset=utf-8',
      expect.stringMatching(/^[A-Z][^\n]+\n$/),
    ])
  })

  test.for(refusals)('of type $type may not be stored or sniffed', async (refusal) => {
    const app = await (refusal.app ?? smallApp)()
    const { headers } = await app.inject(refusal.call)
    expect([headers['cache-control'], headers['x-content-type-options']]).toEqual(['no-store', 'nosniff'])
  })

  test.for(['/key/%zz', `/key/${LONG}`])('of the router at %.10s is a problem document too', async (url) => {
    const app = await buildApp()
    const { headers, body } = await app.inject({ url, headers: JSON_CLIENT })
    expect([headers['content-type'], JSON.parse(body).type]).toEqual([
      'application/problem+json',
      '/problems/invalid-key-length',
    ])
  })

  test('tells a client of JSON the lengths there are', async () => {
    const app = await buildApp({ minSize: 16, maxSize: 64 })
    const { detail } = (await app.inject({ url: '/key/65', headers: JSON_CLIENT })).json()
    expect(detail).toContain('from 16 to 64')
  })

  test.for([
    ['/key/16', 'GET, HEAD, POST'],
    ['/key/16?format=raw', 'GET, HEAD, POST'],
    ['/key/', 'GET, HEAD, POST'],
    ['/key/abc', 'GET, HEAD, POST'],
    ['/k%65y/%31%36', 'GET, HEAD, POST'],
    ['/metrics', 'GET, HEAD'],
    ['/livez', 'GET, HEAD'],
    ['/readyz?verbose', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
  ] as const)('of a method at %s names those allowed: %s', async ([url, allow]) => {
    const app = await buildApp()
    const { statusCode, headers, body } = await app.inject({ method: 'DELETE', url })
    expect([statusCode, headers.allow, body]).toEqual([405, allow, `Method not allowed: use ${allow}\n`])
  })

  test.for(['/key', '/key/16/', '/nothing', '/metrics/', '*', '/*', '/page/*', '//'])(
    'of a method at %s, where nothing is, is a 404 without Allow',
    async (url) => {
      const { port } = await listen()
      const { status, headers } = await exchange(port, request('OPTIONS', url))
      expect([status, headers.allow]).toEqual([404, undefined])
    },
  )
})

describe('a failure of the server', () => {
  test('is answered without its cause', async () => {
    const { app } = await brokenApp()
    const { statusCode, body } = await app.inject('/key/16')
    expect([statusCode, body]).toEqual([500, 'The server failed; the failure is in its log\n'])
  })

  test('is answered without its cause to a client of JSON', async () => {
    const { app } = await brokenApp()
    const { body, headers } = await app.inject({ url: '/key/16', headers: JSON_CLIENT })
    expect(`${body}${JSON.stringify(headers)}`).not.toMatch(/marker|handedOut|\.ts/)
  })

  test('is logged once, with its cause, method and path, and without the query', async () => {
    const log = new Recorder()
    const { app } = await brokenApp(log)
    await app.inject('/key/16?token=SECRET')
    const [line, ...rest] = log.text.trimEnd().split('\n')
    expect([JSON.parse(line ?? ''), rest]).toEqual([
      {
        level: 50,
        time: expect.any(Number),
        pid: process.pid,
        hostname: expect.any(String),
        msg: 'a request failed',
        method: 'GET',
        path: '/key/16',
        err: { type: 'Error', message: MARKER, stack: expect.stringContaining('.ts') },
      },
      [],
    ])
  })

  test('hands out no key, and counts none', async () => {
    const { app } = await brokenApp()
    await app.inject('/key/16')
    expect((await scrape(app)).get('keys_generated_total')).toBe(0)
  })

  test('after the keys of a list are made gives none of them', async () => {
    const { app } = await brokenApp()
    const { statusCode, body } = await app.inject('/key/1000?count=1000')
    expect([statusCode, body.length]).toEqual([500, 45])
  })

  test('ends with its cause', async () => {
    const { app, mend } = await brokenApp()
    await app.inject('/key/1000?count=1000')
    mend()
    expect((await app.inject('/key/1000')).body).toMatch(/^[0-9a-f]{2000}$/)
  })

  test('of randomness is answered 503, with the seconds to wait, to GET, POST and HEAD alike', async () => {
    const app = await unhealthyApp()
    const answers = await Promise.all(
      (['GET', 'POST', 'HEAD'] as const).map((method) => app.inject({ method, url: '/key/16' })),
    )
    const answered = [503, expect.stringMatching(/^[1-9][0-9]*$/)]
    expect(answers.map(({ statusCode, headers }) => [statusCode, headers['retry-after']])).toEqual([
      answered,
      answered,
      answered,
    ])
  })
})

describe('the log', () => {
  test.for([false, true])('never holds a key, with -log-requests=%s', async (logRequests) => {
    const log = new Recorder()
    const app = await buildApp({ logRequests }, { log })
    const keys: string[] = []
    for (const format of ['hex', 'base64', 'base64url', 'base32', 'base58']) {
      const lines = await app.inject(`/key/16?count=5&format=${format}&prefix=sk_&checksum=crc32`)
      const one = await app.inject({ url: `/key/16?format=${format}`, method: 'POST' })
      const json = await app.inject({ url: `/key/16?count=5&format=${format}`, headers: JSON_CLIENT })
      keys.push(...lines.body.trimEnd().split('\n'), one.body, ...json.json().keys)
    }
    const { rawPayload } = await app.inject('/key/16?format=raw')
    const encodings = ['hex', 'base64', 'base64url', 'latin1', 'utf8'] as const
    keys.push(...encodings.map((encoding) => rawPayload.toString(encoding)))

    await app.inject('/key/0')
    expect(log.text.includes('/key/16')).toBe(logRequests)
    expect(keys.filter((key) => log.text.includes(key))).toEqual([])
  })

  test.for([
    ['/key/16?token=SECRET', '/key/16', 200],
    ['/key/%1b%0a?token=SECRET', '/key/%1b%0a', 400],
    ['/key/%zz?token=SECRET', '/key/%zz', 400],
    ['/nothing?token=SECRET?more', '/nothing', 404],
    ['http://localhost/key/16?token=SECRET', '/key/16', 200],
  ] as const)('of a request for %s has the path alone', async ([target, path, status]) => {
    const log = new Recorder()
    const { port } = await listen({ logRequests: true }, { log })
    expect((await exchange(port, request('GET', target))).status).toBe(status)
    const [, ...lines] = log.text.trimEnd().split('\n')
    const messages = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg !== 'keys handed out')
    expect(messages).toMatchObject([
      { msg: 'incoming request', method: 'GET', path, remoteAddress: '127.0.0.1' },
      { msg: 'request completed', statusCode: status },
    ])
    expect(log.text).not.toMatch(/SECRET|token/)
  })

  test.for(['/\x9b31m\x85\xff', '/key/16?token=SECRET\x9b', '/key/%zz\x85?token=SECRET'])(
    'has no more than printable ASCII of %j, whether or not Node takes the raw bytes',
    async (target) => {
      const log = new Recorder()
      const { port } = await listen({ logRequests: true }, { log })
      await exchange(port, request('GET', target))
      expect(log.text).toMatch(/^([ -~]+\n)+$/)
      expect(log.text).not.toMatch(/SECRET|token/)
    },
  )

  test('escapes what a terminal would obey in a path', () => {
    expect(loggedPath('/a\x1b[31m\n\x7f\x85\x9b\xff\u2028~ ?token=SECRET?\x9b')).toBe(
      String.raw`/a\u001b[31m\u000a\u007f\u0085\u009b\u00ff\u2028~ `,
    )
  })

  test('of a failure of the server has its path in printable ASCII', async () => {
    const log = new Recorder()
    const { app } = await brokenApp(log)
    const { statusCode } = await app.inject('/k%65y/16?token=SECRET%0a')
    expect([statusCode, JSON.parse(log.text).path]).toEqual([500, '/k%65y/16'])
  })

  test('has no line for what clients do wrong', async () => {
    const log = new Recorder()
    const app = await buildApp({}, { log })
    for (const url of ['/key/0', '/key/%zz', `/key/${LONG}`, '/nothing']) await app.inject(url)
    expect(log.text).toBe('')
  })
})

describe('http_status_codes counts', () => {
  const noHost = (target: string) => `GET ${target} HTTP/1.1\r\nConnection: close\r\n\r\n`
  const key200 = '200 key 1'
  const key400 = '400 key 1'
  test.for([
    ['a key', request('GET', '/key/16'), key200],
    ['many keys in one answer', request('GET', '/key/16?count=9'), key200],
    ['a POST for a key', request('POST', '/key/16'), key200],
    ['a key by an absolute URL', request('GET', 'http://localhost/key/16'), key200],
    ['a key path with escapes', request('GET', '/k%65y/16'), key200],
    ['an expectation that is not known', request('GET', '/key/16', ['Expect: wonders']), key200],
    ['a wrong length', request('GET', '/key/0'), key400],
    ['a wrong length in a POST', request('POST', '/key/0'), key400],
    ['an empty length', request('GET', '/key/'), key400],
    ['a wrong parameter', request('GET', '/key/16?count=0'), key400],
    ['a bad escape in a key path', request('GET', '/key/%zz'), key400],
    ['a bad escape in a POST', request('POST', '/key/%zz'), key400],
    ['a bad escape after a good one', request('GET', '/k%65y/%zz'), key400],
    ['a bad escape by an absolute URL', request('GET', 'http://localhost/key/%zz'), key400],
    ['a bad escape before a query', request('GET', '/key/%zz?a=/b'), key400],
    ['an over-long length', request('GET', `/key/${LONG}`), key400],
    ['a key call without a Host', noHost('/key/16'), key400],
    ['a key call with a body', request('POST', '/key/16', ['Content-Length: 1'], 'a'), '413 key 1'],
    ['another method on a key path', request('DELETE', '/key/16'), '405 key 1'],
    ['another method by an absolute URL', request('PUT', 'http://localhost/key/16'), '405 key 1'],
    ['an expectation with a method refused', request('PUT', '/key/16', ['Expect: wonders']), '405 key 1'],
    ['a HEAD for a key', request('HEAD', '/key/16'), '200 other 1'],
    ['a HEAD with a wrong length', request('HEAD', '/key/0'), '400 other 1'],
    ['a HEAD with a bad escape', request('HEAD', '/key/%zz'), '400 other 1'],
    ['a HEAD with an over-long length', request('HEAD', `/key/${LONG}`), '400 other 1'],
    ['a probe', request('GET', '/livez'), '200 other 1'],
    ['a scrape', request('GET', '/metrics'), '200 other 1'],
    ['a probe without a Host', noHost('/livez'), '400 other 1'],
    ['another method on a probe', request('POST', '/readyz'), '405 other 1'],
    ['an unknown path', request('GET', '/nothing'), '404 other 1'],
    ['a path without a length', request('GET', '/key'), '404 other 1'],
    ['a path beneath a key', request('GET', '/key/16/'), '404 other 1'],
    ['a path that ends in a key path', request('GET', '/a/key/16'), '404 other 1'],
    ['a bad escape elsewhere', request('GET', '/%zz'), '400 other 1'],
    ['a bad escape in a word like key', request('GET', '/keys/%zz'), '400 other 1'],
    ['an over-long URL', request('GET', `/key/${'1'.repeat(16_384)}`), '431 other 1'],
    ['a header block over the limit', request('GET', '/key/16', [`X: ${'1'.repeat(16_384)}`]), '431 other 1'],
    ['garbage', 'garbage\r\n\r\n', '400 other 1'],
    ['a CONNECT', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', '405 other 1'],
  ] as const)('%s', async ([, bytes, expected]) => {
    const { app, port } = await listen()
    await exchange(port, bytes)
    expect(await counted(app)).toEqual([expected])
  })

  test('a failure of the server as one of the key calls', async () => {
    const { app } = await brokenApp()
    await app.inject('/key/16')
    expect(await counted(app)).toEqual(['500 key 1'])
  })

  test('a lack of randomness as the key call or the HEAD that it refused', async () => {
    const app = await unhealthyApp()
    for (const method of ['GET', 'POST', 'HEAD'] as const) await app.inject({ method, url: '/key/16' })
    expect(await counted(app)).toEqual(['503 key 2', '503 other 1'])
  })
})
