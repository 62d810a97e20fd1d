import { createCipheriv } from 'node:crypto'
import type { Permute } from './ff1.ts'

/** Random words drawn at a time. */
const DRAWN_WORDS = 16_384

/**
 * A permutation of all numbers of one or two bytes: a table, shuffled by Fisher and Yates with an AES-256-CTR key
 * stream. It has 256 bytes or 128 KiB and takes some milliseconds to make.
 */
export function shuffle(key: Uint8Array, length: number): Permute {
  const table = Uint16Array.from({ length: 256 ** length }, (_, index) => index)
  const below = numbersBelow(key)
  for (let index = table.length - 1; index > 0; index--) {
    const other = below(index + 1)
    const value = table[index] as number
    table[index] = table[other] as number
    table[other] = value
  }
  return (first, keys) => {
    for (let at = 0; at < keys.length; at += length) {
      keys.writeUIntBE(table[first + at / length] as number, at, length)
    }
  }
}

/** Draws whole numbers from 0 up to a bound, all equally likely. */
function numbersBelow(key: Uint8Array): (bound: number) => number {
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  let words = Buffer.alloc(0)
  let next = 0
  return function draw(bound): number {
    if (next === words.length) {
      words = stream.update(Buffer.alloc(DRAWN_WORDS * 4))
      next = 0
    }
    const word = words.readUInt32LE(next)
    next += 4
    // Words past the last whole multiple of the bound would make small numbers likelier.
    return word < 0x1_0000_0000 - (0x1_0000_0000 % bound) ? word % bound : draw(bound)
  }
}
