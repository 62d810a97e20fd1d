import { randomFillSync } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { buildApp } from '../helper.ts'

/**
 * Counts are called even while the normal score of their chi-square is within this. Even ones are outside with
 * odds of 6.4e-5. With one retry, the three tests of two scores and the five of one raise a false alarm with
 * 3 (2 * 6.4e-5)^2 + 5 (6.4e-5)^2 = 7e-8, where the budget is 1e-6.
 */
const LIMIT = 4

const once = { retry: 1 }

/** The chi-square of counts against equal odds as a normal score (Wilson and Hilferty). */
function scoreOf(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const freedom = counts.length - 1
  const spread = 2 / (9 * freedom)
  return (Math.cbrt(chiSquare / freedom) - (1 - spread)) / Math.sqrt(spread)
}

function tally(values: Iterable<number>, different: number): number[] {
  const counts = new Array<number>(different).fill(0)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

function pairsOf(bytes: Buffer): Uint16Array {
  return new Uint16Array(Uint8Array.from(bytes).buffer)
}

async function draw(app: FastifyInstance, atLeast: number, url: string): Promise<Buffer> {
  const answers: Buffer[] = []
  for (let drawn = 0; drawn < atLeast; drawn += answers.at(-1)?.length ?? 0) {
    const { statusCode, rawPayload } = await app.inject(url)
    expect(statusCode).toBe(200)
    answers.push(rawPayload)
  }
  return Buffer.concat(answers)
}

describe('10 MB of bytes', () => {
  test.for([
    ['from the pool', '/key/1000?count=1000&format=raw'],
    ['from the pool for small keys', '/key/7?count=1000&format=raw'],
    ['past the pool', '/key/4096?count=250&format=raw'],
  ] as const)('%s are even, one by one and in pairs', once, async ([, url]) => {
    const app = await buildApp({ maxSize: 4096 })
    const bytes = await draw(app, 10_000_000, url)
    expect(Math.abs(scoreOf(tally(bytes, 256)))).toBeLessThan(LIMIT)
    expect(Math.abs(scoreOf(tally(pairsOf(bytes), 65_536)))).toBeLessThan(LIMIT)
  })

  test('show that one bit in 1,600 is not random', async () => {
    const randomSource = (bytes: Buffer) => {
      randomFillSync(bytes)
      for (let index = 0; index < bytes.length; index += 200) bytes[index] = (bytes[index] ?? 0) & 0x7f
    }
    const app = await buildApp({}, { randomSource })
    const bytes = await draw(app, 10_000_000, '/key/1000?count=1000&format=raw')
    expect(scoreOf(tally(bytes, 256))).toBeGreaterThan(LIMIT)
  })
})

/** Of keys of 60 bytes, which leave no bits over. In base58 the first digits of a number are never even. */
test.for([
  ['hex', 16, 120],
  ['base64', 64, 80],
  ['base64url', 64, 80],
  ['base32', 32, 96],
  ['base58', 58, 70],
] as const)(
  'the digits of %s are even: %i of them, in the last %i of each key',
  once,
  async ([format, different, digits]) => {
    const app = await buildApp()
    const lines = (await draw(app, 2_000_000, `/key/60?count=270&format=${format}`)).toString('latin1')
    const places = new Map<string, number>()
    for (const key of lines.trimEnd().split('\n')) {
      for (const digit of key.slice(-digits)) places.set(digit, (places.get(digit) ?? 0) + 1)
    }
    expect(places.size).toBe(different)
    expect(Math.abs(scoreOf([...places.values()]))).toBeLessThan(LIMIT)
  },
)
