import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Host, serve } from '../../src/commands/serve.ts'
import { createLog } from '../../src/log.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { Recorder, settings } from '../helper.ts'

const GET = 'GET /key/16 HTTP/1.1\r\nHost: localhost\r\n\r\n'
const HALF = GET.slice(0, -2)
const REST = GET.slice(-2)

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
  const config = settings({ srvPort: 0, host: '127.0.0.1', drainTime: 0, shutdownTimeout: 5, ...overrides })
  const status = serve(config, await createLog(output), host)
  const messages = () =>
    output.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
  const port = await vi.waitFor(() => {
    expect(messages()).toContainEqual(expect.stringMatching(/^Starting server on port \d+\.\.\.$/))
    return Number(/on port (\d+)/.exec(output.text)?.[1])
  }, 4000)
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

async function open(port: number): Promise<{ socket: Socket; received: Recorder }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  const received = new Recorder()
  socket.on('data', (text: string) => received.write(text))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return { socket, received }
}

/** A connection of which the server has read one request and half of another. */
async function openHalfway(port: number): Promise<{ socket: Socket; received: Recorder }> {
  const { socket, received } = await open(port)
  socket.write(GET + HALF)
  await vi.waitFor(() => expect(received.text).toMatch(/[0-9a-f]{32}$/))
  received.text = ''
  return { socket, received }
}

async function refusesConnections(port: number): Promise<void> {
  await vi.waitFor(() => expect(open(port)).rejects.toThrow('ECONNREFUSED'))
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
      const { port, origin, status, signal, messages } = await start({ drainTime: 1 })
      expect((await fetch(`${origin}/key/16`)).headers.get('connection')).toBe('keep-alive')
      signal(name)
      const unready = await fetch(`${origin}/readyz`)
      expect([unready.status, await unready.text()]).toEqual([503, 'Not ready: shutting down\n'])
      const served = await fetch(`${origin}/key/16`)
      expect([served.status, served.headers.get('connection')]).toEqual([200, 'close'])
      expect(await served.text()).toMatch(/^[0-9a-f]{32}$/)
      expect((await fetch(`${origin}/livez`)).status).toBe(200)
      expect(await status).toBe(0)
      await refusesConnections(port)
      expect(messages().at(-1)).toMatch(/^Stopping\b.*\b1 s$/)
    },
  )

  test('loses no request that has begun to arrive when it closes', async () => {
    const { port, status, signal } = await start()
    const { socket, received } = await openHalfway(port)
    signal('SIGTERM')
    await refusesConnections(port)
    socket.write(REST)
    expect(await status).toBe(0)
    await vi.waitFor(() => expect(received.text).toMatch(/^HTTP\/1\.1 200 .*[0-9a-f]{32}$/s))
  })

  test('cuts off what outlasts the shutdown timeout, which counts from the signal, with status 1', async () => {
    const { port, status, signal, messages } = await start({ drainTime: 1, shutdownTimeout: 2 })
    await openHalfway(port)
    const signalledAt = performance.now()
    signal('SIGTERM')
    expect(await status).toBe(1)
    const seconds = (performance.now() - signalledAt) / 1000
    expect(seconds).toBeGreaterThan(1.9)
    expect(seconds).toBeLessThan(2.9)
    expect(messages().at(-1)).toMatch(/still open/)
  })

  test.for([
    ['has been silent from its start', ''],
    ['waits for nothing after an answer', GET],
  ] as const)('does not wait for a connection that %s', async ([, bytes]) => {
    const { port, origin, status, signal } = await start({ shutdownTimeout: 4 })
    const { socket, received } = await open(port)
    socket.write(bytes)
    if (bytes !== '') await vi.waitFor(() => expect(received.text).toMatch(/[0-9a-f]{32}$/))
    // Connections are accepted in turn, so this answer means that the one above is accepted.
    await (await fetch(`${origin}/livez`)).text()
    const signalledAt = performance.now()
    signal('SIGTERM')
    expect(await status).toBe(0)
    expect(performance.now() - signalledAt).toBeLessThan(2000)
  })
})

describe('the second signal', () => {
  test.for([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGTERM', 143],
  ] as const)('%s, then %s ends with %i at once', async ([first, second, expected]) => {
    const { status, signal } = await start({ drainTime: 3 })
    signal(first)
    signal(second)
    expect(await status).toBe(expected)
  })

  test.for(['SIGTERM', 'SIGINT'] as const)(
    'SIGINT ends with 130, but not as an echo of %s',
    async (first) => {
      const { origin, status, signal } = await start({ drainTime: 3 })
      const clock = vi.spyOn(performance, 'now').mockReturnValue(1000)
      onTestFinished(() => clock.mockRestore())
      const ended = vi.fn()
      void status.then(ended)
      signal(first)
      signal('SIGINT')
      clock.mockReturnValue(1200)
      signal('SIGINT')
      expect((await fetch(`${origin}/key/16`)).status).toBe(200)
      expect(ended).not.toHaveBeenCalled()
      clock.mockReturnValue(1201)
      signal('SIGINT')
      expect(await status).toBe(130)
    },
  )
})
