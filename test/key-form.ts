import { DEFAULT_FORMAT, encodings, keyForm } from '../src/keys/encodings.ts'

// What tests that are about something else expect of a key: whatever the format by default is.

/** A key of `length` bytes and nothing else. */
export const keyPattern = (length: number) => new RegExp(`^${keyForm(length)}$`)

/** Characters of a key of `length` bytes. */
export const keySize = (length: number): number => encodings[DEFAULT_FORMAT].size(length) ?? Number.NaN

/** The key that those bytes are. */
export const keyOf = (bytes: Uint8Array): string =>
  encodings[DEFAULT_FORMAT].encode(Buffer.from(bytes), 0, bytes.length)
