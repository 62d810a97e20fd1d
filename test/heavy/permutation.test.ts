import { expect, test } from 'vitest'
import { permutation } from '../../src/permutation/permutation.ts'

const BATCH = 65_536

test.for([1, 2, 3])('each of all keys of %i bytes comes exactly once', (length) => {
  const whole = 256 ** length
  const permute = permutation(new Uint8Array(32).fill(42), 1, length)
  const seen = new Uint8Array(whole)
  const keys = Buffer.alloc(Math.min(BATCH, whole) * length)
  for (let first = 0; first < whole; first += BATCH) {
    permute(first, keys)
    for (let at = 0; at < keys.length; at += length) {
      const key = keys.readUIntBE(at, length)
      seen[key] = (seen[key] ?? 0) + 1
    }
  }
  expect(seen.every((times) => times === 1)).toBe(true)
})
