import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { listen, PATIENCE, scrape } from '../helper.ts'
import { answersIn, converse, counted, exchange, kept, request } from '../tcp.ts'

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

describe('connections', () => {
  test('beyond the most are closed at once and counted, until there is room', async () => {
    const { app, port } = await listen({ maxConnections: 2 })
    const held = [await open(port), await open(port)]
    expect(await converse(port, request('GET', '/key/16'))).toBe('')
    expect((await scrape(app)).get('connections_dropped_total')).toBe(1)
    held[0]?.destroy()
    await vi.waitFor(
      async () => expect((await exchange(port, request('GET', '/key/16'))).status).toBe(200),
      PATIENCE,
    )
  })

  test('are any number if need be', async () => {
    const { app } = await listen({ maxConnections: 0 })
    expect(app.server.maxConnections).toBeUndefined()
  })

  test('on which nothing moves are closed, those of clients that do not read among them', async () => {
    const { app, port } = await listen()
    const { timeout, headersTimeout, requestTimeout, keepAliveTimeout } = app.server
    expect([timeout, headersTimeout, requestTimeout, keepAliveTimeout]).toEqual([72_000, 10_000, 30_000, 0])
    app.server.setTimeout(100)
    const idle = await open(port)
    idle.write(kept('GET', '/key/16'))
    expect(answersIn(await text(idle))).toMatchObject([{ status: 200 }])
    const deaf = await open(port)
    deaf.pause().write(kept('GET', '/key/1024?count=1000').repeat(20))
    await vi.waitFor(async () => {
      const connections = await new Promise((resolve) =>
        app.server.getConnections((_, count) => resolve(count)),
      )
      expect(connections).toBe(0)
    }, PATIENCE)
  })
})

describe('requests on one connection', () => {
  test('are any number', async () => {
    const { port } = await listen()
    const text = await converse(port, kept('GET', '/key/16').repeat(999) + request('GET', '/key/16'))
    expect(answersIn(text).filter(({ status }) => status === 200)).toHaveLength(1000)
  })

  test.for(['GET', 'POST'])('end it with the last one that it may have: %s', async (method) => {
    const { app, port } = await listen({ maxRequestsPerSocket: 2 })
    const socket = await open(port)
    socket.write(kept(method, '/key/16'))
    await once(socket, 'readable')
    socket.write(kept(method, '/key/16'))
    const answers = answersIn(await text(socket))
    expect(answers.map(({ status, headers }) => [status, headers.connection])).toEqual([
      [200, undefined],
      [200, 'close'],
    ])
    expect(await counted(app)).toEqual(['200 key 2'])
  })
  test('that are sent beyond those get no key, and are counted', async () => {
    const { app, port } = await listen({ maxRequestsPerSocket: 2 })
    await converse(port, kept('GET', '/key/16').repeat(4))
    expect(await counted(app)).toEqual(['200 key 2', '503 other 2'])
  })
})
