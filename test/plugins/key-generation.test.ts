import { base64, base64urlnopad, hex } from '@scure/base'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { describe, expect, test } from 'vitest'
import { difference, keyLengthCases } from '../../src/commands/self-test.ts'
import type { RandomSource } from '../../src/keys/entropy.ts'
import { buildApp, listen, scrape, settings } from '../helper.ts'
import { answersIn, converse, exchange, kept, readsOn, request } from '../tcp.ts'

const JSON_CLIENT = { accept: 'application/json' }
const FORMATS = ['hex', 'base64', 'base64url', 'base32', 'base58', 'raw']

/** What `knownSource` draws: it starts with a zero byte and passes the health tests. */
const drawn = (start: number, length: number) =>
  Uint8Array.from({ length }, (_, index) => ((start + index) * 167) % 256)
const knownSource: RandomSource = (bytes) => bytes.set(drawn(0, bytes.length))

function base32Bytes(text: string): Uint8Array {
  const digits = [...text].map((digit) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(digit))
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('')
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
}

function base58Bytes(text: string): Uint8Array {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const value = [...text].reduce((sum, digit) => sum * 58n + BigInt(alphabet.indexOf(digit)), 0n)
  const digits = value === 0n ? '' : value.toString(16)
  const zeros = text.length - text.replace(/^1+/, '').length
  return Uint8Array.from([
    ...new Uint8Array(zeros),
    ...Buffer.from(digits.length % 2 ? `0${digits}` : digits, 'hex'),
  ])
}

/** CRC-32 bit by bit, as the polynomial division that defines it. */
function checksumOf(text: string): string {
  let crc = 0xffffffff
  for (const byte of Buffer.from(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const value = (crc ^ 0xffffffff) >>> 0
  return [5, 4, 3, 2, 1, 0].map((place) => alphabet[Math.floor(value / 62 ** place) % 62]).join('')
}

async function problemOf(app: FastifyInstance, call: InjectOptions | string): Promise<unknown> {
  const options = typeof call === 'string' ? { url: call } : call
  const answer = await app.inject({ ...options, headers: { ...options.headers, ...JSON_CLIENT } })
  return { status: answer.statusCode, type: answer.json().type }
}

const refused = (type: string) => ({ status: 400, type: `/problems/${type}` })

describe('GET /key/{length}', () => {
  test.for(keyLengthCases(settings()))('$name', async (row) => {
    const app = await buildApp()
    expect(difference(row, await app.inject(`/key/${row.length}`))).toBeUndefined()
  })

  test('answers the random bytes as lower-case hex and nothing else', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { statusCode, body } = await app.inject('/key/16')
    expect({ statusCode, body }).toEqual({ statusCode: 200, body: '00a74ef59c43ea9138df862dd47b22c9' })
  })

  test('says that a key is plain text, not to be kept and not to be guessed at', async () => {
    const app = await buildApp()
    const { date: _date, connection: _connection, ...headers } = (await app.inject('/key/16')).headers
    expect(headers).toEqual({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '32',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  test.for([
    ['/key/016', 16],
    [`/key/${'0'.repeat(90)}16`, 16],
    ['/key/%31%36', 16],
    ['/k%65y/16', 16],
  ] as const)('%s is a key of %d bytes', async ([url, length]) => {
    const app = await buildApp()
    expect((await app.inject(url)).body).toMatch(new RegExp(`^[0-9a-f]{${length * 2}}$`))
  })

  test.for([
    ['an exponent', '1e2'],
    ['a hexadecimal number', '0x10'],
    ['a plus sign', '+5'],
    ['a leading space', '%205'],
    ['a trailing space', '5%20'],
    ['a trailing newline', '5%0a'],
    ['a decimal point', '5.0'],
    ['a separator', '1_000'],
    ['minus zero', '-0'],
    ['Arabic digits', '%D9%A1%D9%A6'],
    ['full-width digits', '%EF%BC%91%EF%BC%96'],
    ['300 digits', '9'.repeat(300)],
    ['a null byte', '%00'],
    ['a null byte after digits', '16%00'],
    ['a bad escape', '%zz'],
    ['half an escape', '%3'],
    ['an escape of half a character', '%C3'],
    ['an escaped slash', '1%2f6'],
    ['a matrix parameter', '16;a=b'],
    ['Infinity', 'Infinity'],
    ['a word of Object.prototype', '__proto__'],
    ['101 characters', 'a'.repeat(101)],
    ['5,000 characters', 'a'.repeat(5000)],
    ['15,000 characters', '1'.repeat(15_000)],
    ['nothing', ''],
  ])('refuses %s as a length', async ([, length]) => {
    const app = await buildApp()
    const { statusCode, headers, body } = await app.inject(`/key/${length}`)
    expect({ statusCode, body, headers }).toMatchObject({
      statusCode: 400,
      body: 'Invalid key length\n',
      headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
    })
  })

  test.for(['/key', '/key/16/', '/key/16/16', '//key/16', '/Key/16', '/page'])(
    'does not know %s',
    async (url) => {
      const app = await buildApp()
      expect((await app.inject({ url, headers: { host: 'localhost' } })).statusCode).toBe(404)
    },
  )

  describe.for([
    { minSize: 1, maxSize: 1 },
    { minSize: 16, maxSize: 64 },
    { minSize: 32, maxSize: 32 },
    { minSize: 2048, maxSize: 8193 },
    { minSize: 1, maxSize: 1_048_576 },
  ])('with lengths from $minSize to $maxSize', (bounds) => {
    test.for([
      ['serves the least length', bounds.minSize, 200],
      ['serves the greatest length', bounds.maxSize, 200],
      ['refuses one byte less', bounds.minSize - 1, 400],
      ['refuses one byte more', bounds.maxSize + 1, 400],
    ] as const)('%s', async ([, length, status]) => {
      const app = await buildApp(bounds)
      const { statusCode, body } = await app.inject(`/key/${length}`)
      expect([statusCode, body.length]).toEqual([status, status === 200 ? length * 2 : 19])
    })
  })
})

describe('the Connection header', () => {
  const line = (method: string, version: string, header: string) =>
    `${method} /key/16 HTTP/${version}\r\nHost: localhost\r\n${header}\r\n`

  test.for(['GET', 'POST'])(
    'of %s is left out where HTTP/1.1 keeps the connection anyway',
    async (method) => {
      const { port } = await listen()
      const [first, second] = answersIn(
        await converse(port, line(method, '1.1', '') + request(method, '/key/16')),
      )
      expect(first).toMatchObject({
        status: 200,
        headers: expect.not.objectContaining({ connection: expect.anything() }),
      })
      expect(second).toMatchObject({ status: 200, headers: { connection: 'close' } })
    },
  )

  test.for(['GET', 'POST'])('of %s says so where HTTP/1.0 does not', async (method) => {
    const { port } = await listen()
    const twice = line(method, '1.0', 'Connection: keep-alive\r\n') + line(method, '1.0', '')
    const answers = answersIn(await converse(port, twice))
    expect(answers.map(({ headers }) => headers.connection)).toEqual(['keep-alive', 'close'])
  })
})

describe('HEAD /key/{length}', () => {
  test.for(FORMATS)('answers the headers that a GET would with format %s', async (format) => {
    const app = await buildApp()
    for (const count of ['', '&count=1', '&count=3']) {
      for (const extra of ['', '&prefix=ab_', '&checksum=crc32', '&prefix=ab_&checksum=crc32']) {
        for (const headers of [{}, JSON_CLIENT]) {
          const call = { url: `/key/17?format=${format}${count}${extra}`, headers }
          const head = await app.inject({ ...call, method: 'HEAD' })
          const get = await app.inject(call)
          const expected = { ...get.headers, date: expect.any(String) }
          if (format === 'base58') delete expected['content-length']
          expect([head.statusCode, head.headers, head.body], call.url).toEqual([get.statusCode, expected, ''])
        }
      }
    }
  })

  test.for([
    '/key/0',
    '/key/%zz',
    `/key/${'9'.repeat(300)}`,
    '/key/16?count=0',
    '/key/65?format=base58',
    '/key/16?count=9&count=9',
    '/key',
  ])('answers the headers that a GET would to %s', async (url) => {
    const app = await buildApp()
    const head = await app.inject({ url, method: 'HEAD' })
    const get = await app.inject(url)
    expect([head.statusCode, head.headers]).toEqual([
      get.statusCode,
      { ...get.headers, date: expect.any(String) },
    ])
  })

  test('uses up no key', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    for (const format of FORMATS)
      await app.inject({ method: 'HEAD', url: `/key/16?count=9&format=${format}` })
    expect((await app.inject('/key/16')).body).toBe(hex.encode(drawn(0, 16)))
  })

  test('draws no random bytes', async () => {
    let draws = 0
    const randomSource: RandomSource = (bytes) => {
      draws++
      knownSource(bytes)
    }
    const app = await buildApp({ maxSize: 1_048_576 }, { randomSource })
    const before = draws
    for (const length of [1, 1024, 4096, 1_048_576]) {
      await app.inject({ method: 'HEAD', url: `/key/${length}?format=raw` })
    }
    expect(draws).toBe(before)
  })

  test('counts no key', async () => {
    const app = await buildApp()
    await app.inject({ method: 'HEAD', url: '/key/16?count=3' })
    const metrics = await scrape(app)
    expect([
      metrics.get('key_length_distribution_count'),
      metrics.get('keys_generated_total'),
      metrics.get('key_bytes_generated_total'),
      metrics.get('http_status_codes{code="200",handler="key"}'),
    ]).toEqual([0, 0, 0, 0])
  })
})

describe('POST /key/{length}', () => {
  const contentTypes = [
    undefined,
    '',
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'text/plain',
    'application/octet-stream',
    'nonsense',
    '/',
    'text/',
    'a b/c;;=',
    'text/plain; charset="',
    '__proto__',
    '*/*',
  ]
  const typed = (contentType: string | undefined) =>
    contentType === undefined ? {} : { 'content-type': contentType }

  test.for(['', '?format=raw&count=2', '?count=2&prefix=ab&checksum=crc32'])(
    'answers what GET does to %s',
    async (query) => {
      const get = await (await buildApp({}, { randomSource: knownSource })).inject(`/key/16${query}`)
      const app = await buildApp({}, { randomSource: knownSource })
      const post = await app.inject({ method: 'POST', url: `/key/16${query}` })
      expect([post.statusCode, post.headers, post.body]).toEqual([
        200,
        { ...get.headers, date: expect.any(String) },
        get.body,
      ])
    },
  )

  test.for(contentTypes)('takes the content type %j when there is no body', async (contentType) => {
    const app = await buildApp()
    const answer = await app.inject({ method: 'POST', url: '/key/16', headers: typed(contentType) })
    expect([answer.statusCode, answer.body]).toEqual([200, expect.stringMatching(/^[0-9a-f]{32}$/)])
  })

  test.for(contentTypes)('refuses a body of the content type %j', async (contentType) => {
    const app = await buildApp()
    const call = { method: 'POST', url: '/key/16', headers: typed(contentType), payload: 'a=1' } as const
    expect(await problemOf(app, call)).toEqual({ status: 413, type: '/problems/body-not-allowed' })
  })

  test.for([
    ['an empty chunked body', ['Transfer-Encoding: chunked'], '0\r\n\r\n', 200],
    ['a body of zero bytes', ['Content-Length: 0', 'Content-Type: nonsense'], '', 200],
    ['a chunked body', ['Transfer-Encoding: chunked'], '1\r\na\r\n0\r\n\r\n', 413],
    ['a body that has only begun', ['Content-Length: 1000000'], 'a', 413],
    ['an invalid content type and a body', ['Content-Type: a;b', 'Content-Length: 1'], 'a', 413],
    ['a body past the limit of Fastify', ['Content-Length: 2000000000'], 'a', 413],
  ] as const)('answers %s over TCP', async ([, headers, body, status]) => {
    const { port } = await listen()
    expect((await exchange(port, request('POST', '/key/16', headers, body))).status).toBe(status)
  })

  test('lets a client send more of a body that is refused, so that no reset destroys the answer', async () => {
    const { app, port } = await listen()
    const bytes = kept('POST', '/key/16', ['Content-Length: 5000'], 'a')
    expect(await readsOn(app.server, port, bytes)).toBe(true)
  })

  test('uses up no key for a call with a body', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    await app.inject({ method: 'POST', url: '/key/16', payload: 'a' })
    expect((await app.inject('/key/16')).body).toBe(hex.encode(drawn(0, 16)))
  })
})

describe('format', () => {
  test.for([
    ['hex', hex.decode],
    ['base64', base64.decode],
    ['base64url', base64urlnopad.decode],
    ['base32', base32Bytes],
    ['base58', base58Bytes],
  ] as const)('%s holds the bytes drawn, each once', async ([format, decode]) => {
    const app = await buildApp({}, { randomSource: knownSource })
    let start = 0
    for (let length = 1; length <= 64; length++) {
      const { body } = await app.inject(`/key/${length}?format=${format}`)
      expect(decode(body)).toEqual(drawn(start, length))
      start += length
    }
  })

  test('raw is the bytes themselves', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { headers, rawPayload } = await app.inject('/key/256?format=raw')
    expect([headers['content-type'], headers['content-length'], new Uint8Array(rawPayload)]).toEqual([
      'application/octet-stream',
      '256',
      drawn(0, 256),
    ])
  })

  test.for(FORMATS)('%s may not be stored or sniffed', async (format) => {
    const app = await buildApp()
    const { headers } = await app.inject(`/key/16?format=${format}`)
    expect([headers['cache-control'], headers['x-content-type-options']]).toEqual(['no-store', 'nosniff'])
  })

  test.for(['', 'HEX', 'base16', 'hex ', '__proto__', 'constructor', 'toString'])(
    '%j is refused',
    async (format) => {
      const app = await buildApp()
      expect(await problemOf(app, { url: '/key/16', query: { format } })).toEqual(refused('unknown-format'))
    },
  )

  test('an unknown one is answered with those there are', async () => {
    const app = await buildApp()
    expect((await app.inject('/key/16?format=hexx')).body).toContain(FORMATS.join(', '))
  })

  test.for([
    ['JSON', '', JSON_CLIENT],
    ['a prefix', '&prefix=a', {}],
    ['a checksum', '&checksum=crc32', {}],
  ] as const)('raw does not go with %s', async ([, query, headers]) => {
    const app = await buildApp()
    const { statusCode, body } = await app.inject({ url: `/key/16?format=raw${query}`, headers })
    expect([statusCode, body]).toEqual([400, expect.stringMatching(/raw/i)])
  })

  test.for([
    ['a key of 64 bytes', '/key/64?format=base58', 200],
    ['a key of 65 bytes', '/key/65?format=base58', 400],
    ['an answer of 16,384 bytes', '/key/64?count=256&format=base58', 200],
    ['an answer of 16,448 bytes', '/key/64?count=257&format=base58', 400],
    ['an answer of 16,385 bytes', '/key/29?count=565&format=base58', 400],
    ['1,000 keys of 16 bytes', '/key/16?count=1000&format=base58', 200],
  ] as const)('base58 of %s', async ([, url, status]) => {
    const app = await buildApp()
    expect((await app.inject(url)).statusCode).toBe(status)
  })
})

describe('count', () => {
  test.for([1, 2, 3])('%d gives that many lines, each ended by a newline', async (count) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const lines = Array.from({ length: count }, (_, index) => `${hex.encode(drawn(index * 16, 16))}\n`)
    expect((await app.inject(`/key/16?count=${count}`)).body).toBe(lines.join(''))
  })

  test('joins raw keys', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { rawPayload } = await app.inject('/key/16?format=raw&count=3')
    expect(new Uint8Array(rawPayload)).toEqual(drawn(0, 48))
  })

  test.for(['0', '00', '-1', '1e9', '1e2', '', '1.0', '+1', ' 1', '0x1', '٣', 'abc', '9'.repeat(30), '1001'])(
    '%s is refused',
    async (count) => {
      const app = await buildApp()
      expect(await problemOf(app, { url: '/key/16', query: { count } })).toEqual(refused('invalid-count'))
    },
  )

  test.for([
    ['as many as max-count', '/key/1?count=3', 200],
    ['more than max-count', '/key/1?count=4', 400],
    ['as many bytes as max-batch-bytes', '/key/50?count=2', 200],
    ['more bytes than max-batch-bytes', '/key/51?count=2', 400],
    ['more raw bytes than max-batch-bytes', '/key/51?count=2&format=raw', 400],
    ['one key as long as max-batch-bytes', '/key/100', 200],
  ] as const)('asks for %s', async ([, url, status]) => {
    const app = await buildApp({ maxCount: 3, maxBatchBytes: 100, maxSize: 100 })
    expect((await app.inject(url)).statusCode).toBe(status)
  })

  test('is at most 1,000 keys and 1 MiB by default', async () => {
    const app = await buildApp({ maxSize: 2048 })
    const urls = [
      '/key/1048?count=1000',
      '/key/1049?count=1000',
      '/key/2048?count=512',
      '/key/2048?count=513',
    ]
    const answers = await Promise.all(urls.map((url) => app.inject(url)))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 400, 200, 400])
  })

  test('counts each key once, by its length', async () => {
    const app = await buildApp()
    await app.inject('/key/100?count=3')
    const metrics = await scrape(app)
    expect([
      metrics.get('key_length_distribution_bucket{le="51.2"}'),
      metrics.get('key_length_distribution_bucket{le="102.4"}'),
      metrics.get('keys_generated_total'),
      metrics.get('key_bytes_generated_total'),
    ]).toEqual([0, 3, 3, 300])
  })
})

describe('JSON', () => {
  test('holds one key and what it is', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { headers, body } = await app.inject({ url: '/key/16?format=base64', headers: JSON_CLIENT })
    expect([headers['content-type'], JSON.parse(body)]).toEqual([
      'application/json; charset=utf-8',
      { key: base64.encode(drawn(0, 16)), length: 16, format: 'base64', entropyBits: 128 },
    ])
  })

  test.for([1, 2])('holds a list when count is %d', async (count) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject({ url: `/key/5?count=${count}`, headers: JSON_CLIENT })
    expect(JSON.parse(body)).toEqual({
      keys: Array.from({ length: count }, (_, index) => hex.encode(drawn(index * 5, 5))),
      length: 5,
      format: 'hex',
      entropyBits: 40,
    })
  })

  test('is not to be kept or sniffed either', async () => {
    const app = await buildApp()
    const { headers } = await app.inject({ url: '/key/16', headers: JSON_CLIENT })
    expect([headers['cache-control'], headers['x-content-type-options']]).toEqual(['no-store', 'nosniff'])
  })

  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
  test.for([
    ['application/json', true],
    ['APPLICATION/JSON', true],
    ['application/json; charset=utf-8', true],
    ['application/*', true],
    ['application/json, text/plain;q=0.9', true],
    ['text/plain;q=0.9, application/json', true],
    ['  application/json ; q=0.8 ,text/plain; Q=0.799', true],
    ['application/json, */*;q=0.1', true],
    ['application/*;q=0.9, */*;q=0.8', true],
    ['application/json;q=0.6, application/*;q=0.1, text/*;q=0.5', true],
    ['text/plain;q=0, */*', true],
    ['application/json, text/plain, */*', false],
    ['text/plain, application/json', false],
    ['application/json;q=0.5, text/plain', false],
    ['application/json;q=0.1, application/*, text/plain;q=0.5', false],
    ['application/json;q=0.5, */*', false],
    ['application/json;q=0', false],
    ['application/*, text/*', false],
    ['text/*', false],
    ['image/png', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
    [browser, false],
    ['application/json;q=abc', false],
    ['application/json;q=', false],
    ['application/json;q=-1', false],
    ['application/json;q=2, text/plain', false],
    ['text/html, application/json;q=0.9, */*;q=0.8', false],
    ['json', false],
    [',;,=/q', false],
    ['__proto__', false],
  ] as const)('Accept: %s', async ([accept, json]) => {
    const app = await buildApp()
    const { headers } = await app.inject({ url: '/key/16', headers: accept === undefined ? {} : { accept } })
    expect(headers['content-type']).toBe(
      json ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8',
    )
  })
})

describe('prefix', () => {
  test.for(['a', 'sk_live_', '_0123456789ABCDE'])('%s stands before the key as it is', async (prefix) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject(`/key/16?prefix=${prefix}`)
    expect(body).toBe(prefix + hex.encode(drawn(0, 16)))
  })

  test('stands before each key of a list', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject({ url: '/key/1?prefix=k_&count=3', headers: JSON_CLIENT })
    expect(JSON.parse(body).keys).toEqual(['k_00', 'k_a7', 'k_4e'])
  })

  test.for(['', 'a/b', 'a-b', 'a b', 'a.b', 'é', 'a\n', 'a\0', 'a'.repeat(17)])(
    '%j is refused',
    async (prefix) => {
      const app = await buildApp()
      expect(await problemOf(app, { url: '/key/16', query: { prefix } })).toEqual(refused('invalid-prefix'))
    },
  )
})

describe('checksum', () => {
  test.for(FORMATS.filter((format) => format !== 'raw'))('ends each key in %s', async (format) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject(`/key/16?count=50&checksum=crc32&format=${format}`)
    const keys = body.trimEnd().split('\n')
    expect(keys.map((key) => key.slice(-6))).toEqual(keys.map((key) => checksumOf(key.slice(0, -6))))
  })

  test('covers the prefix', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject('/key/16?checksum=crc32&prefix=sk_')
    const key = `sk_${hex.encode(drawn(0, 16))}`
    expect(body).toBe(key + checksumOf(key))
  })

  test('is in the keys of JSON', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject({ url: '/key/1?checksum=crc32&count=2', headers: JSON_CLIENT })
    expect(JSON.parse(body).keys).toEqual(['00', 'a7'].map((key) => key + checksumOf(key)))
  })

  test.for(['', 'CRC32', 'crc', 'sha256', 'true', '__proto__'])('%j is refused', async (checksum) => {
    const app = await buildApp()
    expect(await problemOf(app, { url: '/key/16', query: { checksum } })).toEqual(refused('unknown-checksum'))
  })
})

describe('the query', () => {
  test.for([
    'format=hex&format=hex',
    'format=hex&format=raw',
    'format=hex&f%6frmat=hex',
    'count=1&count=1',
    'prefix=a&prefix=a',
    'checksum=crc32&checksum=crc32',
    'count=1&format=hex&count=2',
  ])('%s gives a parameter twice and is refused', async (query) => {
    const app = await buildApp()
    expect(await problemOf(app, `/key/16?${query}`)).toEqual(refused('repeated-parameter'))
  })

  test.for([
    'x=1',
    'x=1&x=2',
    'x',
    '=',
    '&&',
    'x=%zz',
    'Format=raw',
    'format[]=raw',
    'length=9',
    '__proto__=1',
    '__proto__=1&__proto__=2',
    '__proto__[format]=raw',
    'constructor=1&toString=2&hasOwnProperty=3',
  ])('%s is ignored', async (query) => {
    const app = await buildApp()
    const { statusCode, body } = await app.inject(`/key/16?${query}`)
    expect([statusCode, body]).toEqual([200, expect.stringMatching(/^[0-9a-f]{32}$/)])
  })
})
