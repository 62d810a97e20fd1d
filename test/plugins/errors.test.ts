import type { FastifyInstance, InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { buildApp, listen, Recorder, scrape } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { exchange, request } from '../tcp.ts'
import { brokenApp, JSON_CLIENT, LONG, MARKER, unhealthyApp } from './failing-apps.ts'

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

  test.for(['GET', 'POST', 'DELETE'])('%s * is about no path', async (method) => {
    const { port } = await listen()
    expect((await exchange(port, request(method, '*'))).status).toBe(404)
  })
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

  test.for(['/key/%zz', '/%zz', '/nothing'])(
    'to count %s against its address is logged once too, and answered without its cause',
    async (url) => {
      const log = new Recorder()
      const app = await buildApp({ rateLimitAddress: 1 }, { log })
      Object.assign(app.limits, { byAddress: () => Promise.reject(new Error(MARKER)) })
      const { statusCode, body } = await app.inject(`${url}?token=SECRET`)
      expect([statusCode, body]).toEqual([500, 'The server failed; the failure is in its log\n'])
      const [line, ...rest] = log.text.trimEnd().split('\n')
      expect([JSON.parse(line ?? ''), rest]).toEqual([
        expect.objectContaining({
          level: 50,
          method: 'GET',
          path: url,
          err: expect.objectContaining({ message: MARKER }),
        }),
        [],
      ])
    },
  )

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
    expect((await app.inject('/key/1000')).body).toMatch(keyPattern(1000))
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
