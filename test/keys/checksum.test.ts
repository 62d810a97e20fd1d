import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHECKSUM_SIZE, checksum } from '../../src/keys/checksum.ts'

/** CRC-32, a bit at a time: the reflected polynomial 0xedb88320. */
function crcOf(text: string): number {
  let crc = 0xffffffff
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

function base62Of(value: number): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const places = [5n, 4n, 3n, 2n, 1n, 0n].map((place) => (BigInt(value) / 62n ** place) % 62n)
  return places.map((digit) => digits.charAt(Number(digit))).join('')
}

test.for([
  ['', 0, '000000'],
  ['123456789', 0xcbf43926, '3jZRME'],
  ['The quick brown fox jumps over the lazy dog', 0x414fa339, '1C9bYH'],
  ['é', 0x0e048d3e, '0Fumsw'],
] as const)('that of %j is %i in base62: %s', ([text, crc, digits]) => {
  expect(crcOf(text)).toBe(crc)
  expect(checksum(text)).toBe(digits)
})

test('is always six base62 digits of the CRC-32 of the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      expect(checksum(text)).toBe(base62Of(crcOf(text)))
      expect(checksum(text)).toHaveLength(CHECKSUM_SIZE)
    }),
  )
  expect(CHECKSUM_SIZE).toBe(6)
})
