import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodings, formats, type TextFormat } from '../../src/keys/encodings.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const letters = LETTERS.toLowerCase()

const alphabets: Record<TextFormat, string> = {
  hex: '0123456789abcdef',
  base64: `${LETTERS}${letters}0123456789+/`,
  base64url: `${LETTERS}${letters}0123456789-_`,
  base32: `${LETTERS}234567`,
  base58: '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
}

const names = Object.keys(alphabets) as TextFormat[]

function digitsOf(text: string, alphabet: string): number[] {
  return Array.from(text, (character) => {
    const digit = alphabet.indexOf(character)
    if (digit < 0) throw new Error(`${JSON.stringify(character)} is not in the alphabet`)
    return digit
  })
}

/** Reads digits of as many bits as make up the alphabet; bits that fill no byte must be 0 and the fewest. */
function decodeBits(text: string, alphabet: string): Buffer {
  const width = Math.log2(alphabet.length)
  const bits = digitsOf(text, alphabet)
    .map((digit) => digit.toString(2).padStart(width, '0'))
    .join('')
  const spare = bits.length % 8
  if (spare >= width || bits.slice(bits.length - spare).includes('1')) throw new Error('bits are left over')
  return Buffer.from(Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2)))
}

/** Reads one big number; each 1 in front is a byte of 0. */
function decodeBase58(text: string): Buffer {
  const value = digitsOf(text, alphabets.base58).reduce((sum, digit) => sum * 58n + BigInt(digit), 0n)
  const zeros = '00'.repeat(text.search(/[^1]|$/))
  const digits = value === 0n ? '' : value.toString(16)
  return Buffer.from(zeros + digits.padStart(digits.length + (digits.length % 2), '0'), 'hex')
}

function decodePadded(text: string, alphabet: string): Buffer {
  if (text.length % 4 !== 0) throw new Error('the padding is wrong')
  return decodeBits(text.replace(/={1,2}$/, ''), alphabet)
}

const decoders: Record<TextFormat, (text: string, alphabet: string) => Buffer> = {
  hex: decodeBits,
  base64: decodePadded,
  base64url: decodeBits,
  base32: decodeBits,
  base58: decodeBase58,
}

test('the formats are hex, which is the default, base64, base64url, base32, base58 and raw', () => {
  expect(formats).toEqual(['hex', 'base64', 'base64url', 'base32', 'base58', 'raw'])
})

describe.for(names)('%s', (format) => {
  const { encode, size } = encodings[format]
  const alphabet = alphabets[format]

  test('decodes back to the bytes between start and end, and no others', () => {
    const bytes = fc.uint8Array({ maxLength: 64 })
    const key = fc.uint8Array({ minLength: 1, maxLength: 64 })
    fc.assert(
      fc.property(bytes, key, bytes, (before, key, after) => {
        const text = encode(Buffer.concat([before, key, after]), before.length, before.length + key.length)
        expect(decoders[format](text, alphabet)).toEqual(Buffer.from(key))
      }),
      { examples: [[new Uint8Array(), new Uint8Array(5), new Uint8Array()]] },
    )
  })

  test('uses all characters of its alphabet', () => {
    const text = Array.from({ length: 100 }, () => encode(randomBytes(60), 0, 60)).join('')
    expect([...new Set(text)].sort().join('')).toBe([...alphabet].sort().join(''))
  })

  test('says the size of each length from 1 to 200', () => {
    const lengths = Array.from({ length: 200 }, (_, index) => index + 1)
    const sizes = lengths.map((length) => encode(randomBytes(length), 0, length).length)
    const fixed = format === 'base58' ? lengths.map(() => undefined) : sizes
    expect(lengths.map(size)).toEqual(fixed)
  })
})
