import { base64, base64urlnopad, hex } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { buildApp } from '../helper.ts'
import { drawn, FORMATS, JSON_CLIENT, knownSource, problemOf, refused } from './key-calls.ts'

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

describe('prefix', () => {
  test.for(['a', 'sk_live_', '_0123456789ABCDE'])('%s stands before the key as it is', async (prefix) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject(`/key/16?format=hex&prefix=${prefix}`)
    expect(body).toBe(prefix + hex.encode(drawn(0, 16)))
  })

  test('stands before each key of a list', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject({ url: '/key/1?format=hex&prefix=k_&count=3', headers: JSON_CLIENT })
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
    const { body } = await app.inject('/key/16?format=hex&checksum=crc32&prefix=sk_')
    const key = `sk_${hex.encode(drawn(0, 16))}`
    expect(body).toBe(key + checksumOf(key))
  })

  test('is in the keys of JSON', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject({
      url: '/key/1?format=hex&checksum=crc32&count=2',
      headers: JSON_CLIENT,
    })
    expect(JSON.parse(body).keys).toEqual(['00', 'a7'].map((key) => key + checksumOf(key)))
  })

  test.for(['', 'CRC32', 'crc', 'sha256', 'true', '__proto__'])('%j is refused', async (checksum) => {
    const app = await buildApp()
    expect(await problemOf(app, { url: '/key/16', query: { checksum } })).toEqual(refused('unknown-checksum'))
  })
})
