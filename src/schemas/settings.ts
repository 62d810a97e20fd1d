import type { Static } from 'typebox'
import * as Type from 'typebox'

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
    description: 'log two lines for each request',
  }),
})

/** The settings of one server, checked and complete. */
export type Config = Static<typeof Settings>
