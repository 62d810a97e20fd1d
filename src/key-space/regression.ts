import type { KeySpace } from './key-space.ts'

/** What tells that a store is not what it was, so that keys may have been dealt that it does not know of. */
export function regression(known: KeySpace, space: KeySpace, empty: boolean): string | undefined {
  if (space.fenced !== undefined) return undefined
  if (empty) return 'the store was emptied'
  if (space.storeId !== known.storeId) return 'the store was replaced by another one'
  // A period that is new here deals nothing again, whatever was forgotten of the one before.
  if (space.period.number > known.period.number) return undefined
  const other = space.period.number < known.period.number || space.period.startedAt !== known.period.startedAt
  return other || space.revision < known.revision ? 'the store went back to an older state' : undefined
}
