import type { KeySpace } from '../../src/key-space/key-space.ts'
import type { Range } from '../../src/key-space/ranges.ts'
import { Seal } from '../../src/key-space/seal.ts'
import { permutation } from '../../src/permutation/permutation.ts'

/** The number that each key of a length below the mark stands for, by its hexadecimal digits. */
export function numbersOf(
  { storeId, period, lengths }: KeySpace,
  secret: string,
  length: number,
): Map<string, number> {
  const { seed } = new Seal([secret]).open(period.seed, storeId, period.number)
  const keys = Buffer.alloc((lengths[length]?.mark ?? 0) * length)
  permutation(seed, period.number, length)(0, keys)
  return new Map(
    Array.from({ length: keys.length / length }, (_, number) => [
      keys.toString('hex', number * length, (number + 1) * length),
      number,
    ]),
  )
}

/** Whether a number lies in one of those ranges. */
export function isIn(ranges: readonly Range[] | undefined, number: number): boolean {
  return ranges?.some(([first, count]) => number >= first && number < first + count) ?? false
}
