import * as Type from 'typebox'
import { formats } from '../keys/encodings.ts'
import type { Config } from '../schemas/settings.ts'
import type { Schema } from './operations.ts'

/** What descriptions of operations refer to. */
export function reusable({ apiKeysFile, admin, unique }: Config): object {
  const bearer = { type: 'http', scheme: 'bearer' }
  const keys = {
    length: Type.Integer({ description: 'Bytes of each key' }),
    format: Type.Enum(formats, { type: 'string' }),
    entropyBits: Type.Integer({ description: 'What a key is worth at most' }),
    ...(unique && {
      unique: Type.Optional(Type.Boolean({ description: 'Whether no key comes twice in the period' })),
      period: Type.Optional(Type.Integer()),
      expiresAt: Type.Optional(
        Type.String({ format: 'date-time', description: 'When the period ends, if known' }),
      ),
    }),
  }
  const one = Type.Object({ key: Type.String(), ...keys }, { additionalProperties: false })
  const many = Type.Object({ keys: Type.Array(Type.String()), ...keys }, { additionalProperties: false })
  return {
    ...((apiKeysFile !== '' || admin) && {
      securitySchemes: {
        ...(apiKeysFile !== '' && { apiKey: { ...bearer, description: 'An API key, made with hash-key' } }),
        ...(admin && { adminToken: { ...bearer, description: 'The token of -admin' } }),
      },
    }),
    schemas: {
      Keys: { description: 'With the parameter count `keys`, else `key`', oneOf: [one, many] },
      Problem: {
        description: 'RFC 9457',
        ...Type.Object({
          type: Type.String({
            format: 'uri-reference',
            description: 'A page that explains it, relative to the server',
          }),
          title: Type.String(),
          status: Type.Integer(),
          detail: Type.String({ description: 'What was wrong, and what would be right' }),
        }),
      },
      ...(unique && { Rotation: rotation() }),
    },
  }
}

function rotation(): Schema {
  const moment = { type: 'string', format: 'date-time' }
  const count = Type.Integer({ minimum: 0 })
  return Type.Object({
    policy: Type.Object({ rotateEveryDays: Type.Integer({ minimum: 0, description: '0 for none' }) }),
    period: Type.Integer({ minimum: 1 }),
    startedAt: Type.Unsafe(moment),
    endsAt: Type.Unsafe({ ...moment, type: ['string', 'null'], description: 'null without a policy' }),
    fenced: Type.Boolean({ description: 'Whether short keys wait for a rotation' }),
    lengths: Type.Array(Type.Object({ length: count, used: count, left: count, lost: count, leased: count })),
    latestEvent: Type.Integer({ minimum: 0 }),
    events: Type.Array(
      Type.Object({
        id: count,
        type: Type.String(),
        timestamp: Type.Unsafe(moment),
        data: Type.Unsafe({ type: 'object' }),
      }),
    ),
    webhooks: Type.Array(
      Type.Object({
        webhook: count,
        pending: count,
        disabled: Type.Boolean(),
        givenUp: Type.Array(Type.Unsafe({})),
      }),
    ),
  }) as unknown as Schema
}
