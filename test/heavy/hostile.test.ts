import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type ChildServer, POD_HEAP, startServer } from './child-server.ts'

const GET = 'GET /key/16 HTTP/1.1\r\nHost: a\r\n\r\n'

/** How long each attack lasts. */
const ATTACK_MS = 6000

/** A connection that does what it likes with `attack` each 50 ms, and is made again when the server ends it. */
function keepUp(
  port: number,
  begin: (socket: Socket) => void,
  attack: (socket: Socket) => void = () => undefined,
) {
  let over = false
  const start = () => {
    if (over) return
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    const timer = setInterval(() => socket.writable && attack(socket), 50)
    socket.on('error', () => undefined)
    socket.on('connect', () => begin(socket))
    socket.on('close', () => {
      clearInterval(timer)
      setTimeout(start, 20)
    })
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  }
  const sockets = new Set<Socket>()
  onTestFinished(() => {
    over = true
    for (const socket of sockets) socket.destroy()
  })
  start()
}

/** A client that asks for a key, again and again, over connections that it keeps and over new ones by turns. */
async function behave({ port }: ChildServer, milliseconds: number) {
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const end = performance.now() + milliseconds
  const statuses = new Map<number | undefined, number>()
  const times: number[] = []
  while (performance.now() < end) {
    const began = performance.now()
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path: '/key/16',
        agent: times.length % 2 === 0 ? agent : false,
      }
      get(options, (answer) => {
        text(answer).then(() => resolve(answer.statusCode), reject)
      }).on('error', reject)
    })
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    times.push(performance.now() - began)
    await sleep(2)
  }
  return { statuses, times }
}

/** The memory of a server's own, which a pod's limit counts, and the peak of all that it has mapped. */
function memoryOf({ pid }: ChildServer): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024)
  return `${megabytes('RssAnon')} MB of its own, peak of all ${megabytes('VmHWM')} MB`
}

const attacks: [
  name: string,
  connections: number,
  begin: (socket: Socket) => void,
  attack?: (socket: Socket) => void,
][] = [
  [
    'slowloris: headers, a byte at a time',
    500,
    (socket) => socket.write(GET.slice(0, -2)),
    (socket) => socket.write('a'),
  ],
  [
    'slow bodies, a byte at a time',
    300,
    (socket) => socket.write('POST /key/16 HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n'),
    (socket) => socket.write('a'),
  ],
  ['a thousand idle connections', 1000, () => undefined],
  ['a thousand idle connections after a request', 1000, (socket) => socket.write(GET)],
  [
    'pipelined floods of clients that do not read',
    10,
    (socket) => socket.pause().write(GET.repeat(200)),
    (socket) => socket.write(GET.repeat(20)),
  ],
  ['half-closed connections', 300, (socket) => socket.end(GET)],
  ['half-closed connections in the middle of a request', 300, (socket) => socket.end(GET.slice(0, 20))],
  [
    'bytes of TLS',
    100,
    (socket) => socket.write(Buffer.from('1603010200010001fc0303', 'hex')),
    (socket) => socket.write(Buffer.alloc(100, 1)),
  ],
  [
    'large answers that nobody reads',
    64,
    (socket) => socket.pause().write('GET /key/1048576 HTTP/1.1\r\nHost: a\r\n\r\n'),
  ],
  [
    'files of the viewer that nobody reads',
    1000,
    (socket) => socket.pause().write('GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2)),
  ],
  [
    'descriptions of the API that nobody reads',
    1000,
    (socket) => socket.pause().write('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20)),
  ],
  ['headers over the limit', 50, (socket) => socket.write(`GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`)],
]

test.for(attacks)('%s cost a well-behaved client nothing', async ([name, connections, begin, attack]) => {
  const server = await startServer(['-max-size', '1048576'], {}, POD_HEAP)
  for (let made = 0; made < connections; made++) keepUp(server.port, begin, attack)
  const { statuses, times } = await behave(server, ATTACK_MS)
  expect([...statuses]).toEqual([[200, times.length]])
  for (const path of ['/livez', '/readyz', '/metrics']) {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
    expect([path, answer.status, (await answer.text()) === '']).toEqual([path, 200, false])
  }
  times.sort((one, other) => one - other)
  const p99 = times[Math.floor(times.length * 0.99)]?.toFixed(1)
  // Reported, not judged: what a busy machine adds is nobody's fault.
  console.info(`${name}: ${times.length} calls, p99 ${p99} ms, ${memoryOf(server)}`)
})

test('64 answers of a megabyte at once do not kill a server with the memory of a pod', async () => {
  const server = await startServer(['-max-size', '1048576'], {}, POD_HEAP)
  const ask = async () => {
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write('GET /key/1048576 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const answer = await text(socket)
    return [answer.slice(9, 12), answer.length > 2_000_000].join(' ')
  }
  const answers = await Promise.all(Array.from({ length: 64 }, ask))
  expect(answers.filter((answer) => answer !== '200 true' && answer !== '503 false')).toEqual([])
  expect(answers).toContain('200 true')
  console.info(
    `64 answers of 1 MiB of key: ${answers.filter((answer) => answer === '200 true').length} served, ${memoryOf(server)}`,
  )
})

test('connections on which a request does not arrive are cut off after 10 s, by the next look', async () => {
  const server = await startServer([])
  const ends = ['', GET.slice(0, -2)].map(async (bytes) => {
    const socket = connect({ host: '127.0.0.1', port: server.port })
    socket.write(bytes)
    return (await text(socket)).slice(9, 12)
  })
  expect(await Promise.all(ends)).toEqual(['408', '408'])
})
