import { describe, expect, test } from 'vitest'
import { difference, keyLengthCases } from '../../src/commands/self-test.ts'
import { buildApp, listen, settings } from '../helper.ts'
import { keyPattern, keySize } from '../key-form.ts'
import { answersIn, converse, request } from '../tcp.ts'
import { knownSource, problemOf, refused } from './key-calls.ts'

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
    expect((await app.inject(url)).body).toMatch(keyPattern(length))
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
      expect([statusCode, body.length]).toEqual([status, status === 200 ? keySize(length) : 19])
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
    expect([statusCode, body]).toEqual([200, expect.stringMatching(keyPattern(16))])
  })
})
