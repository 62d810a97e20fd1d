import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addressesIn } from '../../src/http/cidr.ts'
import { type DeliveryRules, deliver } from '../../src/webhooks/delivery.ts'
import { loopbackCertificate } from '../certificate.ts'

const allowed = addressesIn(['127.0.0.0/8'])
const never = new AbortController().signal

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const http = async (answer: RequestListener) => `http://127.0.0.1:${await listen(createServer(answer))}`

const send = (url: string, rules: Partial<DeliveryRules> = {}, stop = never) =>
  deliver(
    url,
    { 'content-type': 'application/json', 'content-length': '2' },
    '{}',
    { allowed, ...rules },
    stop,
  )

describe('a receiver that answers', () => {
  test.for([200, 201, 202, 204, 299])('%i has taken the message, as it was sent', async (status) => {
    const seen: string[] = []
    const url = await http(async (request, response) => {
      for await (const chunk of request) seen.push(`${request.method} ${request.url} ${chunk}`)
      response.writeHead(status).end()
    })
    expect(await send(`${url}/hook?a=b`)).toEqual({ kind: 'delivered' })
    expect(seen).toEqual(['POST /hook?a=b {}'])
  })

  test('410 is gone for good', async () => {
    expect(await send(await http((_request, response) => response.writeHead(410).end()))).toEqual({
      kind: 'gone',
    })
  })

  test.for([300, 304, 400, 401, 404, 429, 500, 503])('%i has not', async (status) => {
    expect(await send(await http((_request, response) => response.writeHead(status).end()))).toEqual({
      kind: 'failed',
      reason: `status ${status}`,
    })
  })

  test.for([301, 302, 303, 307, 308])('%i with another place is not followed', async (status) => {
    let calls = 0
    const url = await http((_request, response) => {
      calls++
      response.writeHead(status, { location: '/other' }).end()
    })
    expect(await send(url)).toEqual({ kind: 'failed', reason: `status ${status}` })
    expect(calls).toBe(1)
  })

  test.for<[string, (pause: number | undefined) => boolean]>([
    ['120', (pause) => pause === 120_000],
    ['0', (pause) => pause === undefined],
    ['soon', (pause) => pause === undefined],
    ['-5', (pause) => pause === undefined],
    ['1.5', (pause) => pause === undefined],
    [new Date(Date.now() + 3_600_000).toUTCString(), (pause) => Number(pause) > 3_000_000],
    [new Date(0).toUTCString(), (pause) => pause === undefined],
  ])('503 and Retry-After: %s is waited for', async ([text, isRight]) => {
    const outcome = await send(
      await http((_request, response) => response.writeHead(503, { 'retry-after': text }).end()),
    )
    expect(outcome.kind === 'failed' && isRight(outcome.pause)).toBe(true)
  })

  test('2 GB is not read', async () => {
    let written = 0
    const closed = Promise.withResolvers<void>()
    const url = await http((_request, response) => {
      response.on('close', closed.resolve)
      response.writeHead(200, { 'content-length': 2 ** 31 })
      const chunk = Buffer.alloc(65_536)
      const write = () => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length
      }
      response.on('drain', write)
      write()
    })
    expect(await send(url, { timeoutMs: 3_600_000 })).toEqual({ kind: 'delivered' })
    await closed.promise
    expect(written).toBeLessThan(64 * 2 ** 20)
  })

  test('an endless header, or no HTTP, is a failure', async () => {
    for (const bytes of [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, 'SSH-2.0-OpenSSH\r\n']) {
      const port = await listen(createTcpServer((socket) => socket.write(bytes)))
      expect(await send(`http://127.0.0.1:${port}`)).toEqual({
        kind: 'failed',
        reason: expect.stringMatching(/^HPE_/),
      })
    }
  })
})

describe('a receiver that', () => {
  test('hangs before its answer is given up in time', async () => {
    const url = await http(() => undefined)
    expect(await send(url, { timeoutMs: 50 })).toEqual({ kind: 'failed', reason: 'no answer within 50 ms' })
  })

  test('wants to speak another protocol is too, and at a stop it is broken off', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'
    const port = await listen(createTcpServer((socket) => void socket.write(upgrade)))
    const url = `http://127.0.0.1:${port}`
    expect(await send(url, { timeoutMs: 50 })).toEqual({ kind: 'failed', reason: 'no answer within 50 ms' })
    expect(await send(url, {}, AbortSignal.timeout(50))).toEqual({ kind: 'aborted' })
  })

  test('has a name that is never resolved is too', async () => {
    const rules = { timeoutMs: 50, resolve: () => new Promise<never>(() => undefined) }
    expect(await send('http://receiver.example', rules)).toMatchObject({ reason: 'no answer within 50 ms' })
  })

  test('is not there, or has no name, is a failure without its URL', async () => {
    const port = await listen(createServer())
    const unused = `http://127.0.0.1:${port}`
    expect(await send(unused.replace('http', 'https'))).toMatchObject({ kind: 'failed' })
    expect(await send('http://127.0.0.1:9/hunter2')).toEqual({ kind: 'failed', reason: 'ECONNREFUSED' })
    expect(await send('http://hunter2.invalid')).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/^E[A-Z_]+$/),
    })
  })

  test('resolves to a link-local address the second time is not connected to there', async () => {
    let calls = 0
    const url = await http((_request, response) => {
      calls++
      response.end()
    })
    const answers = ['127.0.0.1', '169.254.169.254']
    const resolve = async () => [{ address: `${answers.shift()}`, family: 4 }]
    const name = url.replace('127.0.0.1', 'receiver.example')
    expect(await send(name, { resolve })).toEqual({ kind: 'delivered' })
    expect(answers).toHaveLength(1)
    expect(await send(name, { resolve })).toEqual({ kind: 'failed', reason: 'its address is link-local' })
    expect(calls).toBe(1)
  })

  test.for([
    'http://127.0.0.1:9',
    'http://2130706433:9',
    'http://0x7f.1:9',
    'http://[::1]:9',
    'http://[::ffff:7f00:1]:9',
  ])('is private is not connected to, written as %s', async (url) => {
    expect(await send(url, { allowed: addressesIn([]) })).toEqual({
      kind: 'failed',
      reason: 'its address is not public and not in -webhook-allow-cidr',
    })
  })

  test('is being told when the server stops is told later', async () => {
    const stop = new AbortController()
    const url = await http(() => stop.abort())
    expect(await send(url, {}, stop.signal)).toEqual({ kind: 'aborted' })
    expect(await send(url, {}, stop.signal)).toEqual({ kind: 'aborted' })
  })
})

test('https is what it says: the certificate is that of the name', async () => {
  const { key, cert } = await loopbackCertificate()
  const server = createTlsServer({ key, cert }, (_request, response) => response.end())
  const port = await listen(server)
  const resolve = async () => [{ address: '127.0.0.1', family: 4 }]
  const to = (name: string) => send(`https://${name}:${port}`, { resolve })
  expect(await to('localhost')).toMatchObject({ kind: 'failed', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, cert])
  onTestFinished(() => setDefaultCACertificates(before))
  expect(await to('localhost')).toEqual({ kind: 'delivered' })
  expect(await to('other.example')).toMatchObject({ reason: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})
