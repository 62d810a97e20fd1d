import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { expect, test } from 'vitest'
import { MemoryStore } from '../src/stores/memory.ts'
import { buildApp, listen, Recorder, scrape } from './helper.ts'
import { keySize } from './key-form.ts'
import { anyText, headers, MAX_SIZE, method, mostly, number, path, query, rawBytes } from './raw-http.ts'
import { converse, exchange, request } from './tcp.ts'

/** Fewer on a busy machine, so that no test takes longer than its timeout. */
const RUNS = { numRuns: 1000, interruptAfterTimeLimit: 5000 }
const SETTINGS = { maxSize: MAX_SIZE, maxBatchBytes: 4096 }

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
        valid ? [200, keySize(Number(length))] : [400, 'Invalid key length\n'],
      )
    }),
    RUNS,
  )
})

test('no bytes whatever make a listening server fail', { timeout: 15_000 }, async () => {
  const log = new Recorder()
  const { app, port } = await listen(SETTINGS, { log })
  await fc.assert(
    fc.asyncProperty(
      rawBytes,
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
