import { hkdfSync } from 'node:crypto'
import { ff1, type Permute } from './ff1.ts'
import { shuffle } from './shuffle.ts'

/** The longest keys, in bytes, that are dealt from a permutation: longer ones don't repeat by chance. */
export const LONGEST_UNIQUE = 15

/**
 * The secret order in which a period deals the keys of one length: it takes the numbers from 0 to
 * 256^length - 1, each to a key of its own. FF1 needs a million values (NIST SP 800-38G Rev. 1), so that shorter
 * keys come from a shuffled table.
 * @param seed 32 random bytes that belong to this period alone.
 * @param length from 1 to 15 bytes.
 */
export function permutation(seed: Uint8Array, period: number, length: number): Permute {
  const tweak = Buffer.from(`key-server period ${period} length ${length}`)
  const key = Buffer.from(hkdfSync('sha256', seed, '', tweak, 32))
  return length < 3 ? shuffle(key, length) : ff1(key, tweak, length)
}
