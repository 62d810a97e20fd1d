import type { Static } from 'typebox'
import * as Type from 'typebox'
import { LEAST_SECRET_BYTES } from '../stores/secret.ts'

/** The least size of keys in bytes that must not repeat by chance, by the original's recommendation. */
export const RECOMMENDED_SIZE = 16

/**
 * Every setting of the service: its type, bounds, default and one-line meaning. The flag (`-max-size`), the
 * environment variable (`MAX_SIZE`), the help text and the README's table are all derived from this schema.
 * A property with `secret: true` is never printed and may also be read from the file that `<NAME>_FILE` names.
 */
export const Settings = Type.Object({
  maxSize: Type.Integer({
    minimum: 1,
    maximum: 1_048_576,
    default: 1024,
    description: 'maximum key size',
  }),
  srvPort: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 1123,
    description: 'server listening port',
  }),
  minSize: Type.Integer({
    minimum: 1,
    maximum: 1_048_576,
    default: 1,
    description: `minimum key size; ${RECOMMENDED_SIZE} is the least for keys that must not repeat by chance`,
  }),
  host: Type.String({
    default: '',
    description: 'address to listen on; empty means all interfaces',
  }),
  maxCount: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    default: 1000,
    description: 'maximum number of keys in one answer',
  }),
  maxBatchBytes: Type.Integer({
    minimum: 1,
    maximum: 4_194_304,
    default: 1_048_576,
    description: 'maximum bytes of key material in one answer, never less than the maximum key size',
  }),
  drainTime: Type.Integer({
    minimum: 0,
    maximum: 3600,
    default: 5,
    description: 'seconds to go on serving, unready, after a stop signal',
  }),
  shutdownTimeout: Type.Integer({
    minimum: 1,
    maximum: 3600,
    default: 25,
    description: 'seconds from a stop signal to a forced exit, more than the drain time',
  }),
  logRequests: Type.Boolean({
    default: false,
    description: 'log each request: two lines, and one for keys handed out',
  }),
  pages: Type.Boolean({
    default: true,
    description: 'serve the pages for people: / and /docs, with /openapi.json and /problems',
  }),
  unique: Type.Boolean({
    default: false,
    description: `never hand out the same key of fewer than ${RECOMMENDED_SIZE} bytes twice`,
  }),
  store: Type.String({
    default: './data/key-server.db',
    description:
      'where -unique keeps its counters: the path of a file, postgres://user@host/database or kubernetes:name-of-a-secret',
    secret: true,
  }),
  keyspaceSecret: Type.Optional(
    Type.String({
      description: `secret of -unique, at least ${LEAST_SECRET_BYTES} bytes; with a file as the store one is made beside it if none is given`,
      secret: true,
    }),
  ),
  keyspaceOldSecret: Type.Optional(
    Type.String({
      description: 'the secret before, while it is being changed',
      secret: true,
    }),
  ),
  rotateEvery: Type.Integer({
    minimum: 0,
    maximum: 3650,
    default: 0,
    description: 'days after which all unique keys can come again, in another order; 0 for never',
  }),
  admin: Type.Boolean({
    default: false,
    description: 'let whoever has the admin token rotate by POST /rotation',
  }),
  adminTokenFile: Type.Optional(
    Type.String({
      description: 'file with the token of -admin, at least 32 bytes',
    }),
  ),
  webhookUrls: Type.Optional(
    Type.String({
      description:
        'https URLs that are told of rotations and of lengths that run out, with spaces between them',
      secret: true,
    }),
  ),
  webhookSecret: Type.Optional(
    Type.String({
      description:
        'secret that signs what -webhook-urls are sent: whsec_ and 24 to 64 bytes in base64; a new one and the one before, with a space between them, while it is being changed',
      secret: true,
    }),
  ),
  webhookAllowCidr: Type.String({
    default: '',
    description:
      'private addresses that -webhook-urls may have, such as 10.0.0.0/8, with commas between them; link-local ones they never may',
  }),
  saltFrom: Type.String({
    default: '',
    description:
      'who random keys are bound to: key-id, header:x-user-id and ip, any of them, with commas between them',
  }),
  trustProxy: Type.String({
    default: '',
    description:
      'addresses of proxies whose X-Forwarded-For is believed, such as 10.42.0.0/16, with commas between them',
  }),
  apiKeysFile: Type.String({
    default: '',
    description:
      'file of API keys, made with hash-key, one of which each key call must have; empty means none',
  }),
  authMetrics: Type.Boolean({
    default: false,
    description: 'ask for an API key with the scope metrics at /metrics too',
  }),
  rateLimitAddress: Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    default: 0,
    description: 'calls that one address may make in a window; 0 means any number',
  }),
  rateLimitClient: Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    default: 0,
    description: 'calls that one API key may make in a window; 0 means any number',
  }),
  rateLimitWindow: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 60,
    description: 'seconds of a window of the rate limits',
  }),
  rateLimitStore: Type.Optional(
    Type.String({
      description:
        'Redis or Valkey that servers share their rate limits by: redis://user:password@host:port/database, or rediss:// with TLS; none means that each counts for itself',
      secret: true,
    }),
  ),
  maxConnections: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 1024,
    description: 'connections at a time, more of which are closed at once; 0 means any number',
  }),
  maxRequestsPerSocket: Type.Integer({
    minimum: 0,
    maximum: 1_000_000_000,
    default: 0,
    description: 'requests on one connection, the last of which ends it; 0 means any number',
  }),
  maxAnswerBytes: Type.Integer({
    minimum: 0,
    maximum: 1_073_741_824,
    default: 16_777_216,
    description:
      'bytes of answers of 16 KiB or more that are being sent at a time, beyond which key calls for such get 503; 0 means any number',
  }),
  maxInFlight: Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    default: 0,
    description: 'key calls being answered at a time, beyond which they get 503; 0 means any number',
  }),
  maxLag: Type.Integer({
    minimum: 0,
    maximum: 60_000,
    default: 0,
    description:
      'milliseconds that the event loop may be late, beyond which key calls get 503; 0 means any number',
  }),
  tlsCert: Type.String({
    default: '',
    description:
      'file of a certificate in PEM, with which the server speaks TLS alone; empty means plain HTTP',
  }),
  tlsKey: Type.String({
    default: '',
    description: 'file of the key of that certificate in PEM',
  }),
})

/** The settings of one server, checked and complete. */
export type Config = Static<typeof Settings>

/** The recommended length, or the nearest to it that a server with those settings makes. */
export function usualLength({ minSize, maxSize }: Pick<Config, 'minSize' | 'maxSize'>): number {
  return Math.min(Math.max(RECOMMENDED_SIZE, minSize), maxSize)
}
