import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { buildApp, Recorder, scrape } from '../helper.ts'
import { keyOf } from '../key-form.ts'
import { MARKER, Source } from './random-source.ts'

describe('over HTTP, a broken source', () => {
  const unavailable = 'No keys for now: the source of randomness fails its self-test\n'

  async function brokenApp() {
    const source = new Source()
    source.broken = 'repetition_count'
    return { source, app: await buildApp({ maxSize: 4096 }, { randomSource: source.fill }) }
  }

  async function statusOf(app: FastifyInstance, url: string): Promise<number> {
    return (await app.inject(url)).statusCode
  }

  test.for([
    { method: 'GET', url: '/key/16' },
    { method: 'POST', url: '/key/16' },
    { method: 'GET', url: '/key/4096' },
    { method: 'GET', url: '/key/16?format=raw&count=10' },
  ] as const)('answers $method $url with 503 and Retry-After', async (request) => {
    const { app } = await brokenApp()
    const answer = await app.inject(request)
    expect([answer.statusCode, answer.body]).toEqual([503, unavailable])
    expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('is a problem document to a client that prefers JSON', async () => {
    const { app } = await brokenApp()
    const answer = await app.inject({ url: '/key/16', headers: { accept: 'application/json' } })
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': expect.stringMatching(/^[1-9][0-9]*$/),
    })
    expect(answer.json()).toMatchObject({ type: '/problems/entropy-unavailable', status: 503 })
  })

  test('makes HEAD answer as GET would, without drawing a block', async () => {
    const { app, source } = await brokenApp()
    const drawn = source.given.length
    const answer = await app.inject({ method: 'HEAD', url: '/key/16' })
    expect([answer.statusCode, answer.body]).toEqual([503, ''])
    expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/)
    expect(source.given).toHaveLength(drawn)
  })

  test('makes the server unready, not dead', async () => {
    const { app } = await brokenApp()
    const readiness = await app.inject('/readyz')
    expect([readiness.statusCode, readiness.body]).toEqual([
      503,
      'Not ready: the source of randomness fails its self-test\n',
    ])
    expect(await statusOf(app, '/livez')).toBe(200)
    expect(await statusOf(app, '/key/0')).toBe(400)
  })

  test('is seen in the metrics', async () => {
    const source = new Source(
      'adaptive_proportion',
      'repetition_count',
      'repetition_count',
      'repetition_count',
    )
    const app = await buildApp({}, { randomSource: source.fill })
    for (let call = 0; call < 2; call++) await app.inject('/key/16')
    const samples = await scrape(app)
    expect(samples.get('entropy_healthy')).toBe(0)
    expect(samples.get('entropy_self_test_failures_total{test="repetition_count"}')).toBe(3)
    expect(samples.get('entropy_self_test_failures_total{test="adaptive_proportion"}')).toBe(1)
    expect(samples.get('http_status_codes{code="503",handler="key"}')).toBe(2)
    expect(samples.get('key_length_distribution_count')).toBe(0)
  })

  test.for(['/key/16', '/readyz'])('is forgotten at the next %s once it works', async (url) => {
    const { app, source } = await brokenApp()
    expect(await statusOf(app, url)).toBe(503)
    source.broken = false
    expect(await statusOf(app, url)).toBe(200)
    expect((await scrape(app)).get('entropy_healthy')).toBe(1)
    expect(await statusOf(app, '/key/16')).toBe(200)
    expect(await statusOf(app, '/readyz')).toBe(200)
  })

  test('in the middle of a batch hands out none of it', async () => {
    const source = new Source('good', 'repetition_count', 'repetition_count')
    const app = await buildApp({}, { randomSource: source.fill })
    const answer = await app.inject('/key/16?count=1000')
    expect([answer.statusCode, answer.body]).toEqual([503, unavailable])
    const samples = await scrape(app)
    expect(samples.get('keys_generated_total')).toBe(0)
    expect(samples.get('key_length_distribution_count')).toBe(0)
  })
})

describe('over HTTP, a source that begins to throw', () => {
  const ILL = 'The source of randomness fails its self-test: no keys until it passes'
  const WELL = 'The source of randomness passes its self-test again'

  async function app() {
    const source = new Source()
    const log = new Recorder()
    const app = await buildApp({ maxSize: 4096 }, { randomSource: source.fill, log })
    const codesOf = async (...urls: string[]) => {
      const codes: number[] = []
      for (const url of urls) codes.push((await app.inject(url)).statusCode)
      return codes
    }
    const lines = () => log.text.split('\n', -1).slice(0, -1)
    return { source, app, codesOf, logged: () => lines().map((line): unknown => JSON.parse(line)) }
  }

  test('hands out no byte of the pool that it was filling', async () => {
    const { app: server, source, codesOf } = await app()
    expect(new Set(await codesOf(...Array<string>(481).fill('/key/17')))).toEqual(new Set([200]))
    source.broken = 'source_error'
    expect(await codesOf('/key/17', '/key/15', '/key/1', '/key/15')).toEqual([503, 503, 503, 503])
    source.broken = false
    const { body } = await server.inject('/key/15')
    expect(body).toBe(keyOf((source.given[1] ?? Buffer.of()).subarray(0, 15)))
  })

  test.for(['/key/16?count=1000', '/key/4096'])(
    'ends service and readiness at %s, and has one line in the log when it does and one when it is well',
    async (url) => {
      const { app: server, source, codesOf, logged } = await app()
      expect(await codesOf(url, '/readyz')).toEqual([200, 200])
      const ill = {
        level: 50,
        msg: ILL,
        err: { type: 'Error', message: MARKER, stack: expect.stringContaining('.ts') },
      }
      for (let round = 1; round <= 2; round++) {
        source.broken = 'source_error'
        expect(await codesOf(url, '/readyz', url, '/key/16', '/readyz', '/livez')).toEqual([
          503, 503, 503, 503, 503, 200,
        ])
        expect((await scrape(server)).get('entropy_healthy')).toBe(0)
        expect(logged()).toMatchObject([
          ...Array(round - 1)
            .fill([ill, { msg: WELL }])
            .flat(),
          ill,
        ])

        source.broken = false
        expect(await codesOf('/readyz', url, '/key/16', url)).toEqual([200, 200, 200, 200])
        expect((await scrape(server)).get('entropy_healthy')).toBe(1)
        expect(logged()).toMatchObject(
          Array(round)
            .fill([ill, { level: 30, msg: WELL }])
            .flat(),
        )
      }
    },
  )

  test('is counted by each draw that it failed, and gives no key that is counted', async () => {
    const { app: server, source, codesOf } = await app()
    source.broken = 'source_error'
    expect(await codesOf('/key/4096', '/key/4096', '/key/16')).toEqual([503, 503, 503])
    const samples = await scrape(server)
    expect(samples.get('entropy_self_test_failures_total{test="source_error"}')).toBe(3)
    expect(samples.get('http_status_codes{code="503",handler="key"}')).toBe(3)
    expect(samples.get('http_status_codes{code="500",handler="key"}')).toBe(0)
    expect(samples.get('keys_generated_total')).toBe(0)
  })

  test('in the middle of a list hands out none of it', async () => {
    const { app: server, source } = await app()
    source.broken = 'source_error'
    const { statusCode, body } = await server.inject('/key/16?count=1000')
    expect([statusCode, body]).toEqual([
      503,
      'No keys for now: the source of randomness fails its self-test\n',
    ])
    expect((await scrape(server)).get('keys_generated_total')).toBe(0)
  })
})
