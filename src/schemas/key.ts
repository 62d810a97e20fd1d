import type { Static } from 'typebox'
import * as Type from 'typebox'
import { DEFAULT_FORMAT, formats } from '../keys/encodings.ts'
import { type Config, usualLength } from './settings.ts'
import { WholeNumber } from './whole-number.ts'

/** What a key can be followed by, so that a leaked one is recognised. */
export const checksums = ['crc32'] as const

/** The schema of `GET`, `HEAD` and `POST /key/{length}` for a server with those settings. */
export function keySchema({ minSize, maxSize, maxCount }: Config) {
  return {
    params: Type.Object({
      length: WholeNumber('Random bytes in the key', minSize, maxSize, usualLength({ minSize, maxSize })),
    }),
    querystring: Type.Object({
      format: Type.Optional(
        Type.Enum(formats, {
          type: 'string',
          description: 'How the bytes are written',
          default: DEFAULT_FORMAT,
          examples: ['base64url'],
        }),
      ),
      count: Type.Optional(WholeNumber('Keys in the answer, one a line', 1, maxCount, Math.min(3, maxCount))),
      prefix: Type.Optional(
        Type.String({
          description: 'Put before the key',
          pattern: '^[A-Za-z0-9_]{1,16}$',
          examples: ['acme_'],
        }),
      ),
      checksum: Type.Optional(
        Type.Enum(checksums, {
          type: 'string',
          description: 'Put after the key: six base62 digits of the CRC-32 of all before',
          examples: [...checksums],
        }),
      ),
    }),
  }
}

type KeySchema = ReturnType<typeof keySchema>

/** What a validated key call has, by Fastify's names. */
export interface KeyRoute {
  Params: Static<KeySchema['params']>
  Querystring: Static<KeySchema['querystring']>
}
