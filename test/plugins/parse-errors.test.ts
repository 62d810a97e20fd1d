import { randomBytes } from 'node:crypto'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keyForm } from '../../src/keys/encodings.ts'
import { listen } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { answersIn, converse, counted, exchange, kept, readsOn, request } from '../tcp.ts'

const KEY = expect.stringMatching(keyPattern(16))

const TLS_HELLO = Buffer.concat([
  Buffer.from('16030100fa010000f60303', 'hex'),
  randomBytes(64),
  Buffer.from('130213031301', 'hex'),
])

describe('bytes that are no HTTP', () => {
  const unreadable: [string, string | Buffer, number][] = [
    ['garbage', '\0\xff\x01garbage\r\n\r\n', 400],
    ['a request line of garbage', 'GET \x01\x02 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a TLS client hello', TLS_HELLO, 400],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['an unheard-of method', request('FOO', '/key/16'), 400],
    ['a method in lower case', request('get', '/key/16'), 400],
    ['an unheard-of version', 'GET /key/16 HTTP/9.9\r\nHost: a\r\n\r\n', 400],
    ['a space in a URL', request('GET', '/key/16 /17'), 400],
    ['a header without a colon', request('GET', '/key/16', ['nonsense']), 400],
    ['a space before a colon', request('GET', '/key/16', ['X : a']), 400],
    ['a null byte in a header', request('GET', '/key/16', ['X: a\0b']), 400],
    ['a negative content length', request('POST', '/key/16', ['Content-Length: -1']), 400],
    ['two content lengths', request('POST', '/key/16', ['Content-Length: 0', 'Content-Length: 5']), 400],
    [
      'a content length and chunks',
      request('POST', '/key/16', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
      400,
    ],
    ['a chunk of no size', request('POST', '/key/16', ['Transfer-Encoding: chunked'], 'zz\r\n'), 400],
    ['a URL of 16 KB', request('GET', `/key/${'1'.repeat(16_384)}`), 431],
    ['a query of 16 KB', request('GET', `/key/16?x=${'1'.repeat(16_384)}`), 431],
    ['a header of 16 KB', request('GET', '/key/16', [`X: ${'1'.repeat(16_384)}`]), 431],
    [
      'many headers of 16 KB together',
      request('GET', '/key/16', Array(400).fill(`X: ${'1'.repeat(50)}`)),
      431,
    ],
  ]

  test.for(unreadable)('(%s) get one line of text', async ([, bytes, status]) => {
    const { port } = await listen()
    expect(await exchange(port, bytes)).toMatchObject({
      status,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: status === 431 ? 'The URL and the headers together are too large\n' : 'Malformed request\n',
    })
  })

  test('get an answer that may not be stored or sniffed, and the end of the connection', async () => {
    const { port } = await listen()
    const { headers, body } = await exchange(port, 'garbage\r\n\r\n')
    expect(headers).toEqual({
      connection: 'close',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': `${body.length}`,
    })
  })

  test('do not stop the server', async () => {
    const { port } = await listen()
    await Promise.all(unreadable.map(([, bytes]) => converse(port, bytes)))
    expect(await exchange(port, request('GET', '/key/16'))).toMatchObject({ status: 200, body: KEY })
  })

  test('after a request come after its answer', async () => {
    const { port } = await listen()
    const text = await converse(port, 'GET /key/16 HTTP/1.1\r\nHost: a\r\n\r\ngarbage\r\n\r\n')
    expect(text).toMatch(
      new RegExp(`^HTTP/1\\.1 200 .*\\r\\n\\r\\n${keyForm(16)}HTTP/1\\.1 400 .*Malformed request\\n$`, 's'),
    )
  })

  test('get their answer after earlier ones that are still being sent', async () => {
    const { app, port } = await listen({ maxSize: 1_048_576, maxBatchBytes: 4_194_304 })
    const refused = new Promise((resolve) => app.server.once('clientError', resolve))
    const client = connect({ host: '127.0.0.1', port })
    onTestFinished(() => void client.destroy())
    client.on('error', () => undefined)
    client.write(`${kept('GET', '/key/1048576?count=4&format=raw').repeat(3)}garbage\r\n\r\n`)
    await refused

    const answers = answersIn((await buffer(client)).toString('latin1'))
    const whole = [200, 4_194_304]
    expect(answers.map(({ status, body }) => [status, body.length])).toEqual([whole, whole, whole, [400, 18]])
    expect(await counted(app)).toEqual(['200 key 3', '400 other 1'])
  })

  test('may go on for a while, so that no reset destroys the answer', async () => {
    const { app, port } = await listen()
    const bytes = kept('GET', '/key/16', [`X: ${'1'.repeat(20_000)}`])
    expect(await readsOn(app.server, port, bytes)).toBe(true)
  })

  test('that stop coming are answered 408', async () => {
    const { app, port } = await listen()
    app.server.once('connection', (socket) => {
      app.server.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket)
    })
    expect(await exchange(port, 'GET /key/16 HTTP/1.1\r\n')).toMatchObject({
      status: 408,
      body: 'The request took too long to arrive\n',
    })
  })
})

describe('a method over TCP', () => {
  const others = METHODS.filter((method) => !['GET', 'HEAD', 'POST', 'CONNECT'].includes(method))

  test.for(others)('%s is not allowed on a key path', async (method) => {
    const { port } = await listen()
    const { status, headers } = await exchange(port, request(method, '/key/16'))
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD, POST'])
  })

  test.for(others)('%s finds nothing on an unknown path', async (method) => {
    const { port } = await listen()
    const { status, headers } = await exchange(port, request(method, '/nothing'))
    expect([status, headers.allow]).toEqual([404, undefined])
  })

  test('CONNECT is not allowed at all', async () => {
    const { port } = await listen()
    const { status, headers } = await exchange(port, 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n')
    expect([status, headers.allow, headers.connection]).toEqual([405, 'GET, HEAD, POST', 'close'])
  })

  test('CONNECT does not stop the server when its client is gone before the answer', async () => {
    const { app, port } = await listen()
    const tunnel = new Promise<Duplex>((resolve) => {
      app.server.once('connect', (_request, socket) => resolve(socket))
    })
    const answered = converse(port, 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n')
    const socket = await tunnel
    expect(() => socket.emit('error', new Error('write ECONNRESET'))).not.toThrow()
    await answered
  })
})

describe('a header that Node would judge by itself', () => {
  test.for([
    ['no Host', 'GET /key/16 HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['no Host in HTTP/1.0', 'GET /key/16 HTTP/1.0\r\n\r\n', 200],
    ['two Hosts', request('GET', '/key/16', ['Host: b']), 400],
    ['two Hosts in one', 'GET /key/16 HTTP/1.1\r\nHost: a, b\r\nConnection: close\r\n\r\n', 400],
    ['an empty Host', 'GET /key/16 HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 200],
    ['an unknown Expect', request('GET', '/key/16', ['Expect: wonders']), 200],
    [
      'an Upgrade',
      'GET /key/16 HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n',
      200,
    ],
  ] as const)('%s', async ([, bytes, status]) => {
    const { port } = await listen()
    expect((await exchange(port, bytes)).status).toBe(status)
  })

  test('no Host is a problem document to a client of JSON', async () => {
    const { port } = await listen()
    const { headers, body } = await exchange(
      port,
      'GET /key/16 HTTP/1.1\r\nAccept: application/json\r\nConnection: close\r\n\r\n',
    )
    expect([headers['content-type'], JSON.parse(body).type]).toEqual([
      'application/problem+json',
      '/problems/missing-host',
    ])
  })

  test('an Expect of 100-continue is granted', async () => {
    const { port } = await listen()
    const text = await converse(port, request('GET', '/key/16', ['Expect: 100-continue']))
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })
})
