import { type Config, RECOMMENDED_SIZE } from '../schemas/settings.ts'

/** The lengths in bytes of the keys that are unique with `-unique`, as far as these settings allow them. */
export function uniqueLengths({ minSize, maxSize }: Config): number[] {
  return Array.from({ length: RECOMMENDED_SIZE - 1 }, (_, index) => index + 1).filter(
    (length) => length >= minSize && length <= maxSize,
  )
}
