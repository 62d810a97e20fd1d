import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Characters of a checksum: the least that hold 32 bits in base62. */
export const CHECKSUM_SIZE = 6

/**
 * The CRC-32 (that of gzip and PNG) of `text` as six base62 digits, 0-9A-Za-z, the most significant first:
 * what a secret scanner needs to tell a leaked key from look-alikes without asking anyone.
 */
export function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < CHECKSUM_SIZE; place++) {
    digits = ALPHABET.charAt(rest % 62) + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}
