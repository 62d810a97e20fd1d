import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import config from '../../plugins/config.ts'
import metrics from '../../plugins/metrics.ts'
import overload from '../../plugins/overload.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { listen, PATIENCE, scrape, settings } from '../helper.ts'
import { keySize } from '../key-form.ts'
import { exchange, kept, request } from '../tcp.ts'

const MEBIBYTE = 1_048_576
const BIG = `/key/${MEBIBYTE}`
/** Bytes of the answer. */
const SIZE = keySize(MEBIBYTE)

/** Sends `bytes` and reads nothing of the answer. */
async function deaf(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.pause().write(bytes)
  return socket
}

const inFlight = async (app: FastifyInstance) => (await scrape(app)).get('answer_bytes_in_flight')
const shed = async (app: FastifyInstance, reason: string) =>
  (await scrape(app)).get(`overload_shed_total{reason="${reason}"}`)

describe('bytes of answers in flight', { timeout: 60_000 }, () => {
  const big = (overrides: Partial<Config> = {}) =>
    listen({ maxSize: MEBIBYTE, maxBatchBytes: 4 * MEBIBYTE, maxAnswerBytes: 10 * SIZE, ...overrides })

  test('beyond the budget are refused, and probes, metrics and small keys are not', async () => {
    const { app, port } = await big()
    // More than the kernel takes off a client's hands.
    const large = kept('GET', `${BIG}?count=4`)
    const clients = [await deaf(port, large), await deaf(port, large)]
    await vi.waitFor(async () => expect(await inFlight(app)).toBeGreaterThanOrEqual(8 * SIZE), PATIENCE)
    const refused = await exchange(port, request('GET', `${BIG}?count=4`))
    expect([refused.status, refused.headers['retry-after'], refused.body]).toEqual([
      503,
      '1',
      'Too busy for now: try again\n',
    ])
    for (const target of ['/key/16', '/key/1024', '/key/16?count=10', '/livez', '/readyz', '/metrics']) {
      expect((await exchange(port, request('GET', target))).status).toBe(200)
    }
    expect(await shed(app, 'answer_bytes')).toBe(1)
    for (const client of clients) client.destroy()
    await vi.waitFor(async () => expect(await inFlight(app)).toBe(0), PATIENCE)
    expect((await exchange(port, request('GET', `${BIG}?count=4`))).status).toBe(200)
  })

  test.for(['GET', 'POST'])('are given back when a %s is answered', async (method) => {
    const { app, port } = await big()
    for (let call = 0; call < 20; call++) {
      expect((await exchange(port, request(method, BIG))).status).toBe(200)
    }
    await vi.waitFor(async () => expect(await inFlight(app)).toBe(0), PATIENCE)
  })

  test('are given back after a minute in which a client does not read them', async () => {
    const { app, port } = await big()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const client = await deaf(port, kept('GET', `${BIG}?count=4`))
    while ((await inFlight(app)) === 0) await setImmediate()
    vi.advanceTimersByTime(59_999)
    expect(await inFlight(app)).toBeGreaterThanOrEqual(4 * SIZE)
    vi.advanceTimersByTime(1)
    while ((await inFlight(app)) !== 0) await setImmediate()
    client.destroy()
  })

  test('may be those of one answer that is larger than the budget', async () => {
    const { app, port } = await big({ maxAnswerBytes: 1 })
    expect((await exchange(port, request('GET', BIG))).status).toBe(200)
    await vi.waitFor(async () => expect(await inFlight(app)).toBe(0), PATIENCE)
  })

  test.for(['?count=1000&format=base64', '?count=1000', '?count=16&format=raw'])(
    'are those of many small keys too: %s',
    async (query) => {
      const { app, port } = await listen({ maxAnswerBytes: 1 })
      await deaf(port, kept('GET', `/key/1024${query}`).repeat(200))
      await vi.waitFor(async () => expect(await shed(app, 'answer_bytes')).toBeGreaterThan(0), PATIENCE)
    },
  )

  test('are any number if need be', async () => {
    const { app, port } = await big({ maxAnswerBytes: 0 })
    await deaf(port, kept('GET', `${BIG}?count=4`))
    expect((await exchange(port, request('GET', BIG))).status).toBe(200)
    expect(await inFlight(app)).toBe(0)
  })
})

describe('key calls in flight', () => {
  test('beyond the most get 503, probes and metrics do not', { timeout: 60_000 }, async () => {
    const { app, port } = await listen({
      maxInFlight: 2,
      maxSize: MEBIBYTE,
      maxBatchBytes: 4 * MEBIBYTE,
      maxAnswerBytes: 0,
    })
    // More than the kernel takes off a client's hands.
    const large = kept('GET', `${BIG}?count=4`)
    const clients = [await deaf(port, large), await deaf(port, large)]
    await vi.waitFor(
      async () => expect((await exchange(port, request('GET', '/key/16'))).status).toBe(503),
      PATIENCE,
    )
    for (const target of ['/livez', '/readyz', '/metrics', '/nothing']) {
      expect((await exchange(port, request('GET', target))).status).not.toBe(503)
    }
    expect(await shed(app, 'in_flight')).toBeGreaterThan(0)
    for (const client of clients) client.destroy()
    await vi.waitFor(
      async () => expect((await exchange(port, request('GET', '/key/16'))).status).toBe(200),
      PATIENCE,
    )
    for (let call = 0; call < 5; call++) {
      expect((await exchange(port, request('GET', '/key/16'))).status).toBe(200)
    }
  })
})

test('calls whose body does not come take no place of those in flight', { timeout: 60_000 }, async () => {
  const { app, port } = await listen({ maxInFlight: 1 })
  for (const header of ['Content-Length: 1', 'Transfer-Encoding: chunked']) {
    await deaf(port, kept('POST', '/key/16', [header]))
    for (let call = 0; call < 5; call++) {
      expect((await exchange(port, request('GET', '/key/16'))).status).toBe(200)
    }
  }
  expect(await shed(app, 'in_flight')).toBe(0)
})

test('clients that are gone before their turn take no place', { timeout: 60_000 }, async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  await app.register(config, { config: settings({ maxInFlight: 1, maxAnswerBytes: 1 }) })
  await app.register(metrics)
  const gone = Promise.withResolvers<void>()
  app.addHook('onRequest', async ({ url }, reply) => {
    if (url !== '/first') return
    await once(reply.raw, 'close')
    gone.resolve()
  })
  await app.register(overload)
  app.get('/:any', async (_request, reply) => {
    app.holdAnswer(reply.raw, 1_000_000)
    return 'ok'
  })
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const client = await deaf(port, kept('GET', '/first'))
  client.resetAndDestroy()
  await gone.promise
  for (let call = 0; call < 3; call++) {
    expect((await exchange(port, request('GET', '/next'))).status).toBe(200)
  }
})

describe('an event loop that is late', () => {
  const block = (milliseconds: number) => {
    const end = performance.now() + milliseconds
    while (performance.now() < end);
  }

  test('gets key calls 503 until it is in time again, and probes 200', { timeout: 60_000 }, async () => {
    const { app, port } = await listen({ maxLag: 2000 })
    const targets = ['/key/16', '/livez', '/metrics']
    const answers = targets.map((target) => exchange(port, request('GET', target)))
    block(4000)
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([503, 200, 200])
    expect(await shed(app, 'lag')).toBe(1)
    await vi.waitFor(
      async () => expect((await exchange(port, request('GET', '/key/16'))).status).toBe(200),
      PATIENCE,
    )
  })

  test('means nothing unless it is asked for', { timeout: 60_000 }, async () => {
    const { port } = await listen()
    const answer = exchange(port, request('GET', '/key/16'))
    block(4000)
    expect((await answer).status).toBe(200)
  })
})
