import { LONGEST_UNIQUE } from '../permutation/permutation.ts'
import { areEvents, areTargets } from './event-checks.ts'
import { type Fields, hasFields, isFields, isWhole } from './fields.ts'
import {
  type KeySpace,
  type Lease,
  type LengthSpace,
  MOST_FREE_RANGES,
  MOST_LEASES,
  wholeOf,
} from './key-space.ts'
import type { Range } from './ranges.ts'
import { SEED_SIZE } from './seal.ts'

/** The version of the text, which a change of its form raises. */
const VERSION = 1

/** Bytes of a sealed seed: nonce, seed, tag. */
const SEALED_SIZE = 12 + SEED_SIZE + 16

/** Thrown for a text that is not to be touched. */
export class UnreadableKeySpace extends Error {
  override readonly name = 'UnreadableKeySpace'
}

/** The text of a state, as a store keeps it. */
export function writeKeySpace(space: KeySpace): string {
  return JSON.stringify({ version: VERSION, ...space })
}

/**
 * Reads such a text, and believes nothing: ranges that overlap would deal a key twice.
 * @throws {UnreadableKeySpace} for a damaged text, and for one of a newer version.
 */
export function readKeySpace(text: string): KeySpace {
  const document = parsed(text)
  const { version } = document
  if (isWhole(version, VERSION + 1)) {
    throw new UnreadableKeySpace(
      `the store's state has version ${version}, and this key-server knows ${VERSION} at most: run a newer one`,
    )
  }
  const fault = version === VERSION ? faultOf(document) : 'its version'
  if (fault !== undefined) {
    throw new UnreadableKeySpace(
      `the store's state is damaged (${fault}): restore it from a backup, then rotate, or begin with an empty store`,
    )
  }
  const { version: _version, ...space } = document
  return space as unknown as KeySpace
}

function parsed(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    return isFields(value) ? value : {}
  } catch {
    return {}
  }
}

/** What is wrong in a document, in words without anything it holds. */
function faultOf(document: Fields): string | undefined {
  const { storeId, revision, fenced, period, ended, lengths, events, targets } = document
  const known = [
    'version',
    'storeId',
    'revision',
    'fenced',
    'period',
    'ended',
    'lengths',
    'events',
    'targets',
  ]
  if (Object.keys(document).some((name) => !known.includes(name))) return 'unknown fields'
  if (typeof storeId !== 'string' || storeId === '') return 'its store id'
  if (!isWhole(revision, 1)) return 'its revision'
  if (fenced !== undefined && typeof fenced !== 'string') return 'its fence'
  if (!isPeriod(period)) return 'its period'
  if (!Array.isArray(ended) || !ended.every(isEnded)) return 'its ended periods'
  if (!areEvents(events)) return 'its events'
  if (!areTargets(targets)) return 'its receivers'
  if (!isFields(lengths)) return 'its lengths'
  const wrong = Object.entries(lengths).find(([length, space]) => !isLengthSpace(length, space))
  return wrong && 'the numbers of a length'
}

function isPeriod(value: unknown): boolean {
  if (!isFields(value)) return false
  const { ends, ...rest } = value
  return hasFields(rest, ['number', 'seed', 'startedAt']) && isNumbered(rest, rest.startedAt) && isEnd(ends)
}

function isEnd(value: unknown): boolean {
  if (value === undefined) return true
  return hasFields(value, ['everyDays', 'at']) && isWhole(value.everyDays, 1) && isWhole(value.at)
}

function isEnded(value: unknown): boolean {
  return hasFields(value, ['number', 'seed', 'endedAt']) && isNumbered(value, value.endedAt)
}

function isNumbered({ number, seed }: Fields, time: unknown): boolean {
  return isWhole(number, 1) && isWhole(time) && typeof seed === 'string' && isSealed(seed)
}

function isSealed(text: string): boolean {
  return /^[A-Za-z0-9+/]+$/.test(text) && Buffer.byteLength(text, 'base64') === SEALED_SIZE
}

function isLengthSpace(length: string, value: unknown): value is LengthSpace {
  if (!/^[1-9][0-9]?$/.test(length) || Number(length) > LONGEST_UNIQUE) return false
  if (!hasFields(value, ['mark', 'free', 'leases', 'lost'])) return false
  const { mark, free, leases, lost } = value
  if (!isWhole(mark) || mark > wholeOf(Number(length)) || !isWhole(lost)) return false
  if (!Array.isArray(free) || free.length > MOST_FREE_RANGES || !free.every(isRange)) return false
  if (!Array.isArray(leases) || leases.length > MOST_LEASES || !leases.every(isLease)) return false
  if (new Set(leases.map(([id]) => id)).size < leases.length) return false
  const ranges = [...free, ...leases.map(([, first, count]): Range => [first, count])]
  return areDisjoint(ranges, mark) && ranges.reduce((sum, [, count]) => sum + count, lost) <= mark
}

function areDisjoint(ranges: readonly Range[], mark: number): boolean {
  let end = 0
  for (const [first, count] of ranges.toSorted(([one], [other]) => one - other)) {
    if (first < end) return false
    end = first + count
  }
  return end <= mark
}

function isRange(value: unknown): value is Range {
  return Array.isArray(value) && value.length === 2 && isWhole(value[0]) && isWhole(value[1], 1)
}

function isLease(value: unknown): value is Lease {
  return Array.isArray(value) && typeof value[0] === 'string' && isRange(value.slice(1))
}
