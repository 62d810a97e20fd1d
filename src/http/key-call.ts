import { DEFAULT_FORMAT, type Format } from '../keys/encodings.ts'
import { Base58TooLarge, BatchTooLarge, RawNotCombinable } from '../problems/problems.ts'
import type { KeyRoute } from '../schemas/key.ts'
import { prefersJson } from './accept.ts'

/** Bounds of base58, whose cost grows with the square of a key's length. */
export const BASE58_KEY_BYTES = 64
export const BASE58_ANSWER_BYTES = 16_384

/** What a valid call asks for. */
export interface KeyCall {
  readonly length: number
  readonly format: Format
  /** Undefined asks for one key by itself, 1 for a list of one. */
  readonly count: number | undefined
  readonly prefix: string
  readonly checksum: boolean
  readonly json: boolean
}

/**
 * Reads a call that its schema has passed, and judges what no single parameter tells.
 * @throws {Problem}
 */
export function readKeyCall(
  { length: digits }: KeyRoute['Params'],
  { format = DEFAULT_FORMAT, count: countDigits, prefix, checksum }: KeyRoute['Querystring'],
  accept: string | undefined,
  maxBatchBytes: number,
): KeyCall {
  const length = Number(digits)
  const count = countDigits === undefined ? undefined : Number(countDigits)
  const bytes = length * (count ?? 1)
  const json = prefersJson(accept)
  if (bytes > maxBatchBytes) throw new BatchTooLarge(maxBatchBytes)
  if (format === 'raw' && (json || prefix !== undefined || checksum !== undefined))
    throw new RawNotCombinable()
  if (format === 'base58' && (length > BASE58_KEY_BYTES || bytes > BASE58_ANSWER_BYTES)) {
    throw new Base58TooLarge(BASE58_KEY_BYTES, BASE58_ANSWER_BYTES)
  }
  return { length, format, count, prefix: prefix ?? '', checksum: checksum !== undefined, json }
}
