import { METHODS } from 'node:http'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { MemoryStore } from '../src/stores/memory.ts'
import { buildApp, listen, Recorder, scrape } from './helper.ts'
import { converse, exchange, request } from './tcp.ts'

const MAX_SIZE = 64
/** Fewer on a busy machine, so that no test takes longer than its timeout. */
const RUNS = { numRuns: 1000, interruptAfterTimeLimit: 5000 }
const SETTINGS = { maxSize: MAX_SIZE, maxBatchBytes: 4096 }

const mostly = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: rare })

const anyText = fc.string({ unit: 'binary', maxLength: 40 })
const method = mostly(fc.constantFrom('GET', 'GET', 'POST', 'HEAD'), fc.constantFrom(...METHODS))
const number = fc.integer({ min: -1, max: MAX_SIZE + 1 }).map(String)
const path = mostly(
  mostly(number, anyText.map(encodeURIComponent)).map((length) => `/key/${length}`),
  fc.oneof(
    fc.webPath(),
    anyText.map((text) => `/${text}`),
    fc.constantFrom('/key', '/metrics', '/livez', '/readyz', '/rotation', '//', '/key/16/', '/%', '/key/%zz'),
  ),
)
const query = fc
  .array(
    fc.tuple(
      mostly(fc.constantFrom('format', 'count', 'prefix', 'checksum', 'since', '__proto__'), anyText),
      fc.oneof(fc.constantFrom('raw', 'base58', 'base64', 'crc32', 'a_'), number, anyText),
    ),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&'))
const headerName = fc.oneof(
  fc.constantFrom(
    'accept',
    'content-type',
    'expect',
    'host',
    'connection',
    'upgrade',
    'accept-version',
    'x-forwarded-for',
  ),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
)
const headerValue = fc.oneof(
  fc.constantFrom('application/json', 'a/b;c="', '100-continue', 'close', 'keep-alive', 'h2c', ''),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
)
const headers = fc.array(fc.tuple(headerName, headerValue), { maxLength: 4 })

async function failures(app: FastifyInstance): Promise<[string, number][]> {
  return [...(await scrape(app))].filter(
    ([name, value]) => /^http_status_codes\{code="5/.test(name) && value > 0,
  )
}

const WITH_ALL = {
  ...SETTINGS,
  unique: true,
  rotateEvery: 30,
  saltFrom: 'key-id,header:accept,ip',
  trustProxy: '127.0.0.0/8',
}

test.for([
  ['as it is', SETTINGS],
  ['with unique keys and salt', WITH_ALL],
] as const)('no request whatever fails in process, %s', { timeout: 15_000 }, async ([, overrides]) => {
  const log = new Recorder()
  const app = await buildApp(overrides, { log, store: new MemoryStore() })
  const payload = mostly(fc.constant(''), anyText)
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, payload, async (name, target, pairs, lines, body) => {
      // CONNECT never reaches a route: only a connection can carry it.
      fc.pre(name !== 'CONNECT')
      const { statusCode } = await app.inject({
        method: name as 'GET',
        url: `${target}?${pairs}`,
        headers: Object.fromEntries(lines),
        ...(body === '' ? {} : { payload: body }),
      })
      expect(statusCode).toBeLessThan(500)
    }),
    RUNS,
  )
  expect([await failures(app), log.text]).toEqual([[], ''])
})

test('any text is a length or is refused in the same words', { timeout: 15_000 }, async () => {
  const app = await buildApp(SETTINGS)
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(...'0123456789eEx.+- _') }),
    number,
  )
  await fc.assert(
    fc.asyncProperty(text, async (length) => {
      // A URL parser resolves these before they are sent.
      fc.pre(!/^\.{1,2}$/.test(length))
      const { statusCode, body } = await app.inject(`/key/${encodeURIComponent(length)}`)
      const valid = /^[0-9]{1,100}$/.test(length) && Number(length) >= 1 && Number(length) <= MAX_SIZE
      expect([statusCode, valid ? body.length : body]).toEqual(
        valid ? [200, Number(length) * 2] : [400, 'Invalid key length\n'],
      )
    }),
    RUNS,
  )
})

test('no bytes whatever make a listening server fail', { timeout: 15_000 }, async () => {
  const log = new Recorder()
  const { app, port } = await listen(SETTINGS, { log })
  const framing = mostly(
    fc.constant<string[]>(['Host: a']),
    fc.constantFrom<string[]>(
      [],
      ['Transfer-Encoding: chunked'],
      ['Content-Length: 5'],
      ['Content-Length: 0'],
    ),
  )
  const body = mostly(
    fc.constant(''),
    fc.constantFrom('0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', 'hello', 'zz\r\n'),
  )
  const version = mostly(fc.constant('HTTP/1.1'), fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', ''))
  const message = fc
    .tuple(method, path, query, version, framing, headers, body)
    .map(([name, target, pairs, protocol, frame, lines, rest]) => {
      const authority = name === 'CONNECT' ? 'a:80' : `${target}?${pairs}`
      const fields = [...frame, ...lines.map(([field, value]) => `${field}: ${value}`)]
      return [`${name} ${authority} ${protocol}`, ...fields, '', rest].join('\r\n')
    })
  const sound = fc.array(message, { minLength: 1, maxLength: 3 }).map((parts) => Buffer.from(parts.join('')))
  const damaged = fc.tuple(sound, fc.nat(), fc.nat(255)).map(([bytes, place, byte]) => {
    bytes[place % bytes.length] = byte
    return bytes
  })
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 500 }).map((bytes) => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(sound, mostly(damaged, garbage)),
      fc.constantFrom('half-close', 'half-close', 'reset'),
      async (bytes, ending) => {
        expect(await converse(port, bytes, ending)).toMatch(/^(HTTP\/1\.1 [1-4]|$)/)
      },
    ),
    RUNS,
  )
  expect([await failures(app), log.text]).toEqual([[], ''])
  expect((await exchange(port, request('GET', '/key/16'))).status).toBe(200)
})
