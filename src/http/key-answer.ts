import { CHECKSUM_SIZE, checksum } from '../keys/checksum.ts'
import { encodings, type TextFormat } from '../keys/encodings.ts'
import type { UseBytes } from '../keys/entropy.ts'
import type { KeyCall } from './key-call.ts'

/** What an answer says of its keys, besides what was asked for. */
export interface KeyFacts {
  /** The period in which they are unique; left out where they are random. */
  readonly period?: number
  /** When it ends, in the form of RFC 3339; left out where nothing says so. */
  readonly expires?: string | undefined
  /** What they can have at most, where they are made of less than their length. */
  readonly mostEntropyBits?: number
}

/** Where the bytes of keys come from. */
export interface KeySource extends KeyFacts {
  /** Hands `length` bytes that nobody else gets to `use`, and returns what it makes of them. */
  take<T>(length: number, use: UseBytes<T>): T
}

/** The media type of an answer. */
export function mediaType({ format, json }: KeyCall): string {
  if (json) return 'application/json; charset=utf-8'
  return format === 'raw' ? 'application/octet-stream' : 'text/plain; charset=utf-8'
}

/**
 * Makes the keys that a call asks for and writes them as its body.
 * @throws {EntropyUnavailable}
 */
export function makeBody(call: KeyCall, source: KeySource): string | Buffer {
  const { format } = call
  if (format === 'raw') return rawKeys(call, source)
  const body = call.json ? jsonBody : textBody
  return body(call, () => textKey(call, format, source), source)
}

/** Bytes of the body that a call would get, without making a key; undefined where they depend on it. */
export function bodySize(call: KeyCall, facts: KeyFacts = {}): number | undefined {
  const { length, format, count = 1 } = call
  if (format === 'raw') return length * count
  const size = encodings[format].size(length)
  if (size === undefined) return undefined
  const keySize = call.prefix.length + size + (call.checksum ? CHECKSUM_SIZE : 0)
  const body = call.json ? jsonBody : textBody
  return body(call, () => '', facts).length + keySize * count
}

function rawKeys({ length, count = 1 }: KeyCall, source: KeySource): Buffer {
  const keys = Buffer.allocUnsafeSlow(length * count)
  for (let offset = 0; offset < keys.length; offset += length) {
    source.take(length, (bytes, start, end) => bytes.copy(keys, offset, start, end))
  }
  return keys
}

function textKey(
  { length, prefix, checksum: withChecksum }: KeyCall,
  format: TextFormat,
  source: KeySource,
): string {
  const key = prefix + source.take(length, encodings[format].encode)
  return withChecksum ? key + checksum(key) : key
}

function textBody({ count }: KeyCall, key: () => string): string {
  if (count === undefined) return key()
  let lines = ''
  for (let made = 0; made < count; made++) lines += `${key()}\n`
  return lines
}

function jsonBody(
  { length, format, count }: KeyCall,
  key: () => string,
  { period, expires, mostEntropyBits }: KeyFacts,
): string {
  const bits = length * 8
  const entropyBits = mostEntropyBits === undefined ? bits : Math.min(bits, mostEntropyBits)
  const random = { length, format, entropyBits }
  const description = period === undefined ? random : { ...random, unique: true, period, expiresAt: expires }
  if (count === undefined) return JSON.stringify({ key: key(), ...description })
  return JSON.stringify({ keys: Array.from({ length: count }, key), ...description })
}
