import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Host, serve } from '../../src/commands/serve.ts'
import { createLog } from '../../src/log.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { openStore } from '../../src/stores/open.ts'
import { buildApp, newFolder, PATIENCE, Recorder, settings } from '../helper.ts'

// Watched, so that a test can hold the drain until it has done its part, however slow the machine.
vi.mock('node:timers/promises', { spy: true })
vi.setConfig({ testTimeout: 60_000 })

const SECRET = 'the secret of this release, of 32 bytes and more'
const GET = 'GET /key/16 HTTP/1.1\r\nHost: localhost\r\n\r\n'
const HALF = GET.slice(0, -2)
const REST = GET.slice(-2)
const OK = /^HTTP\/1\.1 200 .*[0-9a-f]{32}$/s

class FakeHost extends EventEmitter implements Host {
  readonly stderr = new Recorder()
}

interface Server {
  readonly port: number
  readonly origin: string
  readonly status: Promise<number>
  messages(): string[]
  signal(name: 'SIGTERM' | 'SIGINT'): void
}

async function start(overrides: Partial<Config> = {}): Promise<Server> {
  const host = new FakeHost()
  const output = new Recorder()
  const config = settings({ srvPort: 0, host: '127.0.0.1', drainTime: 0, shutdownTimeout: 300, ...overrides })
  const status = serve(config, await createLog(output), host)
  const messages = () =>
    output.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
  const port = await vi.waitFor(() => {
    expect(messages()).toContainEqual(expect.stringMatching(/^Starting server on port \d+\.\.\.$/))
    return Number(/on port (\d+)/.exec(output.text)?.[1])
  }, PATIENCE)
  onTestFinished(async () => {
    host.emit('SIGTERM')
    await status
  })
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    status,
    messages,
    signal: (name) => host.emit(name),
  }
}

/** A file whose state is `text`. */
async function storeWith(text: string): Promise<string> {
  const path = `${await newFolder()}/keys.db`
  const store = await openStore(path)
  await store.swap((await store.read()).version, text)
  await store.close()
  return path
}

describe('with -unique the server ends with a sentence, and starts nothing,', () => {
  const refusal = async (overrides: Partial<Config>) => {
    const host = new FakeHost()
    const config = settings({ srvPort: 0, unique: true, keyspaceSecret: SECRET, ...overrides })
    expect(await serve(config, await createLog(new Recorder()), host)).toBe(1)
    expect(host.stderr.text).not.toContain(SECRET)
    return host.stderr.text
  }

  test.for([
    ['damaged', '{"version":1}', /^key-server: the store's state is damaged \(/],
    ['newer', '{"version":2}', /^key-server: the store's state has version 2, /],
  ] as const)('for a state that is %s, which it leaves as it is', async ([, text, sentence]) => {
    const store = await storeWith(text)
    expect(await refusal({ store })).toMatch(sentence)
    const opened = await openStore(store)
    expect((await opened.read()).state).toBe(text)
    await opened.close()
  })

  test('for a secret other than that of the store', async () => {
    const store = `${await newFolder()}/keys.db`
    await buildApp({ unique: true, store, keyspaceSecret: 'the secret of another release of 32 bytes' })
    expect(await refusal({ store })).toMatch(/^key-server: KEYSPACE_SECRET is not the one /)
  })

  test('for a folder as the store', async () => {
    expect(await refusal({ store: await newFolder() })).toMatch(/^key-server: .+\n$/)
  })
})

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

describe('the start', () => {
  test('is logged with the real port, where keys are served', async () => {
    const { port, origin, messages } = await start()
    expect(port).toBeGreaterThan(0)
    expect(messages()[0]).toBe(`Starting server on port ${port}...`)
    expect(await (await fetch(`${origin}/key/16`)).text()).toMatch(/^[0-9a-f]{32}$/)
    expect((await fetch(`${origin}/readyz`)).status).toBe(200)
  })

  test.for([
    [1, 1],
    [15, 1],
    [16, 0],
    [17, 0],
  ] as const)('recommends 16 bytes, where -min-size is %i: %i line', async ([minSize, lines]) => {
    const { messages } = await start({ minSize })
    expect(messages().slice(1)).toEqual(Array(lines).fill(expect.stringMatching(/\b16 bytes\b.*-min-size/)))
  })

  test('listens on all interfaces when no host is given, else on that alone', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ family }) => family === 'IPv4'),
    )
    const everywhere = await start({ host: '' })
    const here = await start({ host: '127.0.0.1' })
    for (const { address, internal } of addresses) {
      expect((await fetch(`http://${address}:${everywhere.port}/livez`)).status).toBe(200)
      if (!internal) await expect(fetch(`http://${address}:${here.port}/livez`)).rejects.toThrow()
    }
  })

  test('fails with status 1 and one clear line where the port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void holder.close())
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const host = new FakeHost()
    const output = new Recorder()
    const config = settings({ srvPort: port, host: '127.0.0.1' })
    expect(await serve(config, await createLog(output), host)).toBe(1)
    expect(host.stderr.text).toBe(
      `key-server: port ${port} is already in use; give another one with -srv-port\n`,
    )
    expect(output.text).toBe('')
  })

  test('fails with status 1 and one clear line where the address is of another machine', async () => {
    const host = new FakeHost()
    const config = settings({ srvPort: 0, host: '203.0.113.1' })
    expect(await serve(config, await createLog(new Recorder()), host)).toBe(1)
    expect(host.stderr.text).toMatch(/^key-server: cannot listen on 203\.0\.113\.1, port 0: .*\n$/)
  })
})

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
      expect(await served.text()).toMatch(/^[0-9a-f]{32}$/)
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
    expect(received.text.match(/\b[0-9a-f]{2048}\b/g)).toHaveLength(keys)
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
