import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { keyForm } from '../../src/keys/encodings.ts'
import { PATIENCE, Recorder } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { start } from './serving.ts'

// Watched, so that a test can hold the drain until it has done its part, however slow the machine.
vi.mock('node:timers/promises', { spy: true })
vi.setConfig({ testTimeout: 60_000 })

const GET = 'GET /key/16 HTTP/1.1\r\nHost: localhost\r\n\r\n'
const HALF = GET.slice(0, -2)
const REST = GET.slice(-2)
const OK = new RegExp(`^HTTP/1\\.1 200 .*${keyForm(16)}$`, 's')

async function open(port: number): Promise<{ socket: Socket; received: Recorder }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  const received = new Recorder()
  socket.on('data', (text: string) => received.write(text))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  // What was received counts; a server that closes may reset what it never accepted.
  socket.on('error', () => undefined)
  return { socket, received }
}

/** A connection of which the server has answered one request and read the `beginning` of another. */
async function openHalfway(port: number, beginning = HALF): Promise<{ socket: Socket; received: Recorder }> {
  const { socket, received } = await open(port)
  socket.write(GET + beginning)
  await vi.waitFor(() => expect(received.text).toMatch(OK), PATIENCE)
  received.text = ''
  return { socket, received }
}

/** A connection whose client reads nothing for now of what it asked for, more than any buffer holds. */
async function openUnread(port: number): Promise<{ socket: Socket; keys: number }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  onTestFinished(() => void socket.destroy())
  const pipelined = 8
  socket.write('GET /key/1024?count=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(pipelined))
  await once(socket, 'readable')
  return { socket, keys: pipelined * 1000 }
}

/** Makes the drain of the next server that is stopped last until `end` is called or the test is over. */
function holdDrain(): { end(): void; ended: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  vi.mocked(sleep).mockReturnValueOnce(promise)
  onTestFinished(() => resolve())
  return { end: resolve, ended: promise }
}

async function refusesConnections(port: number): Promise<void> {
  await vi.waitFor(() => expect(open(port)).rejects.toThrow('ECONNREFUSED'), PATIENCE)
}

/** Keeps the processor from all that runs here, as the scheduler or the limit of a container does. */
function stall(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

describe('the first signal', () => {
  test.for(['SIGTERM', 'SIGINT'] as const)(
    '%s: unready at once, serving while it drains, then closed',
    async (name) => {
      const drain = holdDrain()
      const { port, origin, status, signal, messages } = await start({ minSize: 16, drainTime: 1 })
      expect((await fetch(`${origin}/key/16`)).headers.get('connection')).not.toBe('close')
      signal(name)
      const unready = await fetch(`${origin}/readyz`)
      expect([unready.status, await unready.text()]).toEqual([503, 'Not ready: shutting down\n'])
      const served = await fetch(`${origin}/key/16`)
      expect([served.status, served.headers.get('connection')]).toEqual([200, 'close'])
      expect(await served.text()).toMatch(keyPattern(16))
      expect((await fetch(`${origin}/livez`)).status).toBe(200)
      expect(messages().slice(1)).toEqual([`${name}: unready now, closing in 1 s`])
      drain.end()
      expect(await status).toBe(0)
      await refusesConnections(port)
      expect(messages().slice(2)).toEqual(['Stopped'])
    },
  )

  test('drains for the drain time', async () => {
    const { status, signal } = await start({ drainTime: 1 })
    const signalledAt = performance.now()
    signal('SIGTERM')
    expect(await status).toBe(0)
    // A timer may be up to 1 ms early.
    expect(performance.now() - signalledAt).toBeGreaterThan(998)
  })

  test('loses no request that has begun to arrive when it closes', async () => {
    const { port, status, signal } = await start()
    const { socket, received } = await openHalfway(port)
    signal('SIGTERM')
    await refusesConnections(port)
    socket.write(REST)
    expect(await status).toBe(0)
    await vi.waitFor(() => expect(received.text).toMatch(OK), PATIENCE)
  })

  test('answers a POST whose body ends after the drain, and waits for nothing more', async () => {
    const { port, status, signal } = await start()
    const head = 'POST /key/16 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
    const { socket, received } = await openHalfway(port, head)
    signal('SIGTERM')
    await refusesConnections(port)
    socket.write('0\r\n\r\n')
    expect(await status).toBe(0)
    await vi.waitFor(() => expect(received.text).toMatch(OK), PATIENCE)
    expect(received.text).toMatch(/^connection: close\r$/im)
  })

  test('answers the requests that arrive in the moment it closes, even if it gets to none of them for a while', async () => {
    const drain = holdDrain()
    const { port, origin, status, signal } = await start()
    const used = await Promise.all(Array.from({ length: 10 }, () => openHalfway(port, '')))
    const unused = await Promise.all(Array.from({ length: 10 }, () => open(port)))
    // Connections are accepted in turn, so this answer means that those above are accepted.
    await (await fetch(`${origin}/livez`)).text()
    signal('SIGTERM')
    drain.end()
    await drain.ended
    for (const { socket } of [...used, ...unused]) socket.write(GET)
    stall(150)
    expect(await status).toBe(0)
    for (const { socket } of [...used, ...unused]) if (!socket.closed) await once(socket, 'close')
    expect([...used, ...unused].filter(({ received }) => !OK.test(received.text))).toHaveLength(0)
  })

  test('sends whole what a client has still to receive when the drain ends', async () => {
    const { port, status, signal } = await start({ maxBatchBytes: 4_194_304 })
    const { socket, keys } = await openUnread(port)
    signal('SIGTERM')
    await refusesConnections(port)
    const received = new Recorder()
    socket.on('data', (text: string) => received.write(text))
    await once(socket, 'close')
    expect(received.text.match(new RegExp(`^${keyForm(1024)}$`, 'gm'))).toHaveLength(keys)
    expect(await status).toBe(0)
  })

  test('cuts off a client that never reads, with status 1', async () => {
    const { port, status, signal, messages } = await start({ shutdownTimeout: 1, maxBatchBytes: 4_194_304 })
    await openUnread(port)
    signal('SIGTERM')
    expect(await status).toBe(1)
    expect(messages().at(-1)).toBe('1 connections still open 1 s after the signal are cut off')
  })

  test('cuts off what outlasts the shutdown timeout, which counts from the signal, with status 1', async () => {
    const { port, status, signal, messages } = await start({ drainTime: 1, shutdownTimeout: 2 })
    await openHalfway(port)
    await openHalfway(port)
    const signalledAt = performance.now()
    vi.mocked(sleep).mockClear()
    signal('SIGTERM')
    expect(await status).toBe(1)
    expect(performance.now() - signalledAt).toBeGreaterThan(1996)
    expect(
      vi
        .mocked(sleep)
        .mock.calls.map(([delay]) => delay)
        .slice(0, 2),
    ).toEqual([1000, 1000])
    expect(messages().at(-1)).toBe('2 connections still open 2 s after the signal are cut off')
  })

  test.for([
    ['has been silent from its start', ''],
    ['waits for nothing after an answer', GET],
  ] as const)('does not wait for a connection that %s', async ([, bytes]) => {
    const { port, origin, status, signal } = await start()
    const { socket, received } = await open(port)
    socket.write(bytes)
    if (bytes !== '') await vi.waitFor(() => expect(received.text).toMatch(OK), PATIENCE)
    // Connections are accepted in turn, so this answer means that the one above is accepted.
    await (await fetch(`${origin}/livez`)).text()
    signal('SIGTERM')
    expect(await status).toBe(0)
  })
})

describe('the second signal', () => {
  test.for([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGINT', 130],
  ] as const)('after %s, %s ends with %i at once, but not as an echo', async ([first, second, expected]) => {
    holdDrain()
    const { origin, status, signal, messages } = await start({ minSize: 16 })
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1000)
    onTestFinished(() => clock.mockRestore())
    const ended = vi.fn()
    void status.then(ended)
    signal(first)
    signal(second)
    clock.mockReturnValue(1200)
    signal(second)
    expect((await fetch(`${origin}/key/16`)).status).toBe(200)
    expect(ended).not.toHaveBeenCalled()
    expect(messages().slice(1)).toEqual([`${first}: unready now, closing in 0 s`])
    clock.mockReturnValue(1201)
    signal(second)
    expect(await status).toBe(expected)
    expect(messages().slice(2)).toEqual([`${second} while stopping: ending now`])
  })
})
