import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failedHealthTest } from '../../src/keys/health-tests.ts'

const BLOCK = 8192
const WINDOW = 512

/** Successes among 511 trials of 1 in 256 that are `least` or more, in parts of 256 ** 511. */
function waysOfAtLeast(least: bigint): bigint {
  const trials = 511n
  let ways = 0n
  let choices = 1n
  for (let hits = 0n; hits <= trials; hits++) {
    if (hits >= least) ways += choices * 255n ** (trials - hits)
    choices = (choices * (trials - hits)) / (hits + 1n)
  }
  return ways
}

function leastCount(alarm: (count: bigint) => boolean): number {
  let count = 1n
  while (!alarm(count)) count++
  return Number(count)
}

/** The window's first byte is one occurrence, the others are those of 511 trials. */
const proportionCutoff = leastCount((count) => waysOfAtLeast(count - 1n) * 2n ** 80n <= 256n ** 511n)
const repetitionCutoff = leastCount((count) => 2n ** 80n <= 256n ** (count - 1n))

/** A block that has no run, and `value` not at all. */
function blockWithout(value: number): Buffer {
  return Buffer.from(Array.from({ length: BLOCK }, (_, index) => (value + 1 + (index % 255)) % 256))
}

function withRun(value: number, start: number, length: number): Buffer {
  return blockWithout(value).fill(value, start, start + length)
}

function withOccurrences(value: number, window: number, places: number[]): Buffer {
  const block = blockWithout(value)
  for (const place of places) block[window * WINDOW + place] = value
  return block
}

const anyByte = fc.integer({ min: 0, max: 255 })
const anyWindow = fc.integer({ min: 0, max: BLOCK / WINDOW - 1 })
/** Every other place, so that they make no run. */
const places = Array.from({ length: 255 }, (_, index) => 2 + 2 * index)

function anyPlaces(count: number) {
  return fc.shuffledSubarray(places, { minLength: count, maxLength: count })
}

test('the cut-offs are 1 + ceil(80 / 8) and the least with a tail of at most 2^-80', () => {
  expect([repetitionCutoff, proportionCutoff]).toEqual([1 + Math.ceil(80 / 8), 31])
})

describe('the repetition count test', () => {
  const anyStart = fc.integer({ min: 0, max: BLOCK - repetitionCutoff })

  test('fails a run of the cut-off, wherever it is', () => {
    fc.assert(
      fc.property(anyByte, anyStart, (value, start) => {
        expect(failedHealthTest(withRun(value, start, repetitionCutoff))).toBe('repetition_count')
      }),
      {
        examples: [
          [0, 0],
          [255, BLOCK - repetitionCutoff],
          [7, WINDOW - 5],
        ],
      },
    )
  })

  test('passes runs of one less', () => {
    fc.assert(
      fc.property(anyByte, anyStart, (value, start) => {
        expect(failedHealthTest(withRun(value, start, repetitionCutoff - 1))).toBeUndefined()
      }),
    )
  })
})

describe('the adaptive proportion test', () => {
  test('fails a window with the cut-off of its first byte, itself among them', () => {
    fc.assert(
      fc.property(anyByte, anyWindow, anyPlaces(proportionCutoff - 1), (value, window, others) => {
        expect(failedHealthTest(withOccurrences(value, window, [0, ...others]))).toBe('adaptive_proportion')
      }),
    )
  })

  test('passes a window with one less', () => {
    fc.assert(
      fc.property(anyByte, anyWindow, anyPlaces(proportionCutoff - 2), (value, window, others) => {
        expect(failedHealthTest(withOccurrences(value, window, [0, ...others]))).toBeUndefined()
      }),
    )
  })

  test('counts a byte that is not the first of its window as no failure', () => {
    expect(failedHealthTest(withOccurrences(7, 3, places))).toBeUndefined()
  })

  test('counts each window by itself', () => {
    const half = [0, ...places.slice(0, proportionCutoff - 2)]
    const next = half.map((place) => WINDOW + place)
    expect(failedHealthTest(withOccurrences(7, 3, [...half, ...next]))).toBeUndefined()
  })
})

test('a thousand random blocks pass', () => {
  for (let block = 0; block < 1000; block++) expect(failedHealthTest(randomBytes(BLOCK))).toBeUndefined()
})
