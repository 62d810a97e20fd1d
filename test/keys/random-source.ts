import { randomFillSync } from 'node:crypto'
import { type Entropy, POOL_SIZE, type RandomSource } from '../../src/keys/entropy.ts'

export const LARGEST_POOLED = POOL_SIZE / 4
export const MARKER = 'marker-of-a-source-4711'
export const NONE_FAILED = { repetition_count: 0, adaptive_proportion: 0, source_error: 0 }

const blocks = {
  good: () => undefined,
  repetition_count: (bytes: Buffer) => bytes.fill(0xff, 100, 150),
  adaptive_proportion: (bytes: Buffer) => {
    for (let index = 512; index < 1024; index += 2) bytes[index] = 7
  },
  source_error: (bytes: Buffer) => {
    bytes.fill(0, bytes.length / 2)
    throw new Error(MARKER)
  },
}

export type Block = keyof typeof blocks
export const failing: Block[] = ['repetition_count', 'adaptive_proportion', 'source_error']

/** Gives the blocks of a script, then good ones; remembers what it gave in full, and the buffers it filled. */
export class Source {
  readonly given: Buffer[] = []
  readonly buffers: Buffer[] = []
  broken: false | Block = false
  readonly #script: Block[]

  constructor(...script: Block[]) {
    this.#script = script
  }

  readonly fill: RandomSource = (bytes) => {
    randomFillSync(bytes)
    blocks[this.broken || (this.#script.shift() ?? 'good')](bytes)
    this.given.push(Buffer.from(bytes))
    this.buffers.push(bytes)
  }

  get all(): Buffer {
    return Buffer.concat(this.given)
  }
}

export function copyOf(entropy: Entropy, length: number): Buffer {
  return entropy.take(length, (bytes, start, end) => Buffer.from(bytes.subarray(start, end)))
}
