/** Numbers in a row: the first, and how many. */
export type Range = readonly [first: number, count: number]

/** How many numbers the ranges hold. */
export function sumOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [, count]) => sum + count, 0)
}

/** Adds a range to others that it does not touch on; neighbours become one. All are ascending. */
export function freed(ranges: readonly Range[], added: Range): Range[] {
  const merged: Range[] = []
  for (const range of [...ranges, added].sort(([one], [other]) => one - other)) {
    if (range[1] === 0) continue
    const last = merged.at(-1)
    if (last !== undefined && last[0] + last[1] === range[0]) {
      merged[merged.length - 1] = [last[0], last[1] + range[1]]
    } else merged.push(range)
  }
  return merged
}

/** Takes up to `size` numbers from the front of the largest of some ranges, and says what stays. */
export function withoutLargest(ranges: readonly Range[], size: number): [taken: Range, rest: Range[]] {
  const [first, count] = ranges.reduce((largest, range) => (range[1] > largest[1] ? range : largest))
  const taken = Math.min(size, count)
  const rest = ranges.flatMap((range): Range[] => {
    if (range[0] !== first) return [range]
    return taken === count ? [] : [[first + taken, count - taken]]
  })
  return [[first, taken], rest]
}

/** The `most` largest of some ranges, in their order, and how many numbers the others hold. */
export function dropSmallest(
  ranges: readonly Range[],
  most: number,
): [kept: readonly Range[], dropped: number] {
  const largest = new Set(ranges.toSorted(([, one], [, other]) => other - one).slice(0, most))
  const kept = ranges.filter((range) => largest.has(range))
  return [kept, sumOf(ranges) - sumOf(kept)]
}
