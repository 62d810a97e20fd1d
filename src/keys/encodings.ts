import { base32nopad, base58 } from '@scure/base'
import type { UseBytes } from './entropy.ts'

/** The forms a key can be handed out in, the default first. */
export const formats = ['hex', 'base64', 'base64url', 'base32', 'base58', 'raw'] as const

/** What a call gets that names none. */
export const [DEFAULT_FORMAT] = formats

/** `hex` is lower-case; base64 is padded (RFC 4648, section 4); base64url and base32 are not (5 and 6). */
export type Format = (typeof formats)[number]

/** A format made of characters. */
export type TextFormat = Exclude<Format, 'raw'>

interface Encoding {
  readonly encode: UseBytes<string>
  /** What may stand in a key, as a class of a regular expression has it. */
  readonly alphabet: string
  /** Characters that `length` bytes become; undefined where that depends on the bytes. */
  readonly size: (length: number) => number | undefined
}

/** How each text format is made of bytes. */
export const encodings: Record<TextFormat, Encoding> = {
  hex: {
    encode: (bytes, start, end) => bytes.toString('hex', start, end),
    alphabet: '0-9a-f',
    size: (length) => length * 2,
  },
  base64: {
    encode: (bytes, start, end) => bytes.toString('base64', start, end),
    alphabet: 'A-Za-z0-9+/=',
    size: (length) => Math.ceil(length / 3) * 4,
  },
  base64url: {
    encode: (bytes, start, end) => bytes.toString('base64url', start, end),
    alphabet: 'A-Za-z0-9_-',
    size: (length) => Math.ceil((length * 4) / 3),
  },
  base32: {
    encode: (bytes, start, end) => base32nopad.encode(bytes.subarray(start, end)),
    alphabet: 'A-Z2-7',
    size: (length) => Math.ceil((length * 8) / 5),
  },
  base58: {
    encode: (bytes, start, end) => base58.encode(bytes.subarray(start, end)),
    alphabet: '1-9A-HJ-NP-Za-km-z',
    size: () => undefined,
  },
}

/** A regular expression of a key of `length` bytes, to stand in a larger one. */
export function keyForm(length: number, format: TextFormat = DEFAULT_FORMAT): string {
  const { alphabet, size } = encodings[format]
  return `[${alphabet}]{${size(length) ?? '1,'}}`
}
