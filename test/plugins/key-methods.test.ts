import { describe, expect, test } from 'vitest'
import type { RandomSource } from '../../src/keys/entropy.ts'
import { buildApp, listen, scrape } from '../helper.ts'
import { keyOf, keyPattern } from '../key-form.ts'
import { exchange, kept, readsOn, request } from '../tcp.ts'
import { drawn, FORMATS, JSON_CLIENT, knownSource, problemOf } from './key-calls.ts'

describe('HEAD /key/{length}', () => {
  test.for(FORMATS)('answers the headers that a GET would with format %s', async (format) => {
    const app = await buildApp()
    for (const count of ['', '&count=1', '&count=3']) {
      for (const extra of ['', '&prefix=ab_', '&checksum=crc32', '&prefix=ab_&checksum=crc32']) {
        for (const headers of [{}, JSON_CLIENT]) {
          const call = { url: `/key/17?format=${format}${count}${extra}`, headers }
          const head = await app.inject({ ...call, method: 'HEAD' })
          const get = await app.inject(call)
          const expected = { ...get.headers, date: expect.any(String) }
          if (format === 'base58') delete expected['content-length']
          expect([head.statusCode, head.headers, head.body], call.url).toEqual([get.statusCode, expected, ''])
        }
      }
    }
  })

  test.for([
    '/key/0',
    '/key/%zz',
    `/key/${'9'.repeat(300)}`,
    '/key/16?count=0',
    '/key/65?format=base58',
    '/key/16?count=9&count=9',
    '/key',
  ])('answers the headers that a GET would to %s', async (url) => {
    const app = await buildApp()
    const head = await app.inject({ url, method: 'HEAD' })
    const get = await app.inject(url)
    expect([head.statusCode, head.headers]).toEqual([
      get.statusCode,
      { ...get.headers, date: expect.any(String) },
    ])
  })

  test('uses up no key', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    for (const format of FORMATS)
      await app.inject({ method: 'HEAD', url: `/key/16?count=9&format=${format}` })
    expect((await app.inject('/key/16')).body).toBe(keyOf(drawn(0, 16)))
  })

  test('draws no random bytes', async () => {
    let draws = 0
    const randomSource: RandomSource = (bytes) => {
      draws++
      knownSource(bytes)
    }
    const app = await buildApp({ maxSize: 1_048_576 }, { randomSource })
    const before = draws
    for (const length of [1, 1024, 4096, 1_048_576]) {
      await app.inject({ method: 'HEAD', url: `/key/${length}?format=raw` })
    }
    expect(draws).toBe(before)
  })

  test('counts no key', async () => {
    const app = await buildApp()
    await app.inject({ method: 'HEAD', url: '/key/16?count=3' })
    const metrics = await scrape(app)
    expect([
      metrics.get('key_length_distribution_count'),
      metrics.get('keys_generated_total'),
      metrics.get('key_bytes_generated_total'),
      metrics.get('http_status_codes{code="200",handler="key"}'),
    ]).toEqual([0, 0, 0, 0])
  })
})

describe('POST /key/{length}', () => {
  const contentTypes = [
    undefined,
    '',
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/plain',
    'application/octet-stream',
    'nonsense',
    '/',
    'text/',
    'a b/c;;=',
    'text/plain; charset="',
    '__proto__',
    '*/*',
  ]
  const typed = (contentType: string | undefined) =>
    contentType === undefined ? {} : { 'content-type': contentType }

  test.for(['', '?format=raw&count=2', '?count=2&prefix=ab&checksum=crc32'])(
    'answers what GET does to %s',
    async (query) => {
      const get = await (await buildApp({}, { randomSource: knownSource })).inject(`/key/16${query}`)
      const app = await buildApp({}, { randomSource: knownSource })
      const post = await app.inject({ method: 'POST', url: `/key/16${query}` })
      expect([post.statusCode, post.headers, post.body]).toEqual([
        200,
        { ...get.headers, date: expect.any(String) },
        get.body,
      ])
    },
  )

  test.for(contentTypes)('takes the content type %j when there is no body', async (contentType) => {
    const app = await buildApp()
    const answer = await app.inject({ method: 'POST', url: '/key/16', headers: typed(contentType) })
    expect([answer.statusCode, answer.body]).toEqual([200, expect.stringMatching(keyPattern(16))])
  })

  test.for(contentTypes)('refuses a body of the content type %j', async (contentType) => {
    const app = await buildApp()
    const call = { method: 'POST', url: '/key/16', headers: typed(contentType), payload: 'a=1' } as const
    expect(await problemOf(app, call)).toEqual({ status: 413, type: '/problems/body-not-allowed' })
  })

  test.for([
    ['an empty chunked body', ['Transfer-Encoding: chunked'], '0\r\n\r\n', 200],
    ['a body of zero bytes', ['Content-Length: 0', 'Content-Type: nonsense'], '', 200],
    ['a chunked body', ['Transfer-Encoding: chunked'], '1\r\na\r\n0\r\n\r\n', 413],
    ['a body that has only begun', ['Content-Length: 1000000'], 'a', 413],
    ['an invalid content type and a body', ['Content-Type: a;b', 'Content-Length: 1'], 'a', 413],
    ['a body past the limit of Fastify', ['Content-Length: 2000000000'], 'a', 413],
  ] as const)('answers %s over TCP', async ([, headers, body, status]) => {
    const { port } = await listen()
    expect((await exchange(port, request('POST', '/key/16', headers, body))).status).toBe(status)
  })

  test('lets a client send more of a body that is refused, so that no reset destroys the answer', async () => {
    const { app, port } = await listen()
    const bytes = kept('POST', '/key/16', ['Content-Length: 5000'], 'a')
    expect(await readsOn(app.server, port, bytes)).toBe(true)
  })

  test.for([
    ['GET', ['Content-Length: 1'], 'a', 413],
    ['GET', ['Transfer-Encoding: chunked'], '1\r\na\r\n0\r\n\r\n', 413],
    ['GET', ['Content-Length: 0'], '', 200],
    ['HEAD', ['Content-Length: 1'], 'a', 413],
  ] as const)('refuses a body of %s too: %j %j', async ([method, headers, body, status]) => {
    const { port } = await listen()
    expect((await exchange(port, request(method, '/key/16', headers, body))).status).toBe(status)
  })

  test('uses up no key for a call with a body', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    await app.inject({ method: 'POST', url: '/key/16', payload: 'a' })
    expect((await app.inject('/key/16')).body).toBe(keyOf(drawn(0, 16)))
  })
})
