import createError from '@fastify/error'

/** What every error that a client reads is an instance of; anything else that is thrown is a defect: 500. */
export class Problem extends Error {
  declare readonly code: string
  declare readonly statusCode: number
  /** What a problem document says where the one line of text may not say more. */
  detail?: string
  /** Headers that the answer must have, such as Allow. */
  headers?: Record<string, string>
}

function problem<Arguments extends unknown[]>(
  code: string,
  message: string,
  status: number,
): new (
  ...parts: Arguments
) => Problem {
  // Its types ask for a base that can be called without `new`; it only extends it.
  return createError<[]>(code, message, status, Problem as unknown as ErrorConstructor) as unknown as new (
    ...parts: Arguments
  ) => Problem
}

export const InvalidKeyLength = problem<[]>('INVALID_KEY_LENGTH', 'Invalid key length', 400)
export const UnknownFormat = problem<[string]>('UNKNOWN_FORMAT', 'Unknown format: it must be one of %s', 400)
export const InvalidCount = problem<[number]>(
  'INVALID_COUNT',
  'Invalid count: it must be a whole number from 1 to %d',
  400,
)
export const BatchTooLarge = problem<[number]>(
  'BATCH_TOO_LARGE',
  'Too much for one answer: count times length must be at most %d bytes',
  400,
)
export const InvalidPrefix = problem<[]>(
  'INVALID_PREFIX',
  'Invalid prefix: it must be 1 to 16 of A-Z, a-z, 0-9 and _',
  400,
)
export const UnknownChecksum = problem<[]>('UNKNOWN_CHECKSUM', 'Unknown checksum: it must be crc32', 400)
export const RepeatedParameter = problem<[string]>(
  'REPEATED_PARAMETER',
  'The parameter %s must be given only once',
  400,
)
export const RepeatedHeader = problem<[string]>(
  'REPEATED_HEADER',
  'The header %s must be given only once',
  400,
)
export const RawNotCombinable = problem<[]>(
  'RAW_NOT_COMBINABLE',
  'Raw keys are bytes alone: they go with neither JSON nor a prefix nor a checksum',
  400,
)
export const Base58TooLarge = problem<[number, number]>(
  'BASE58_TOO_LARGE',
  'Too much for base58: it takes up to %d bytes a key and %d bytes of keys an answer; base64url takes more',
  400,
)
export const BodyNotAllowed = problem<[]>('BODY_NOT_ALLOWED', 'This call must not have a body', 413)
export const InvalidSince = problem<[number]>(
  'INVALID_SINCE',
  'Invalid since: it must be the id of an event, a whole number from 0 to %d',
  400,
)
export const AdminTokenNeeded = problem<[]>(
  'ADMIN_TOKEN_NEEDED',
  'A rotation needs the token of an administrator',
  401,
)
export const Unauthorized = problem<[]>(
  'UNAUTHORIZED',
  'A valid API key is needed, sent as Authorization: Bearer',
  401,
)
export const Forbidden = problem<[string]>(
  'FORBIDDEN',
  'This API key may not do that: it lacks the scope %s',
  403,
)
export const TooManyRequests = problem<[number]>(
  'TOO_MANY_REQUESTS',
  'Too many requests: try again in %d seconds',
  429,
)
export const NotFound = problem<[]>('NOT_FOUND', 'Not found: keys are at /key/{length}', 404)
export const MethodNotAllowed = problem<[string]>('METHOD_NOT_ALLOWED', 'Method not allowed: use %s', 405)
export const MalformedRequest = problem<[]>('MALFORMED_REQUEST', 'Malformed request', 400)
export const MissingHost = problem<[]>('MISSING_HOST', 'HTTP/1.1 requests need a Host header', 400)
export const RequestTimeout = problem<[]>('REQUEST_TIMEOUT', 'The request took too long to arrive', 408)
export const HeadersTooLarge = problem<[]>(
  'HEADERS_TOO_LARGE',
  'The URL and the headers together are too large',
  431,
)
export const InternalError = problem<[]>(
  'INTERNAL_ERROR',
  'The server failed; the failure is in its log',
  500,
)
export const EntropyUnavailable = problem<[]>(
  'ENTROPY_UNAVAILABLE',
  'No keys for now: the source of randomness fails its self-test',
  503,
)
export const KeyspaceExhausted = problem<[number]>(
  'KEYSPACE_EXHAUSTED',
  'Used up: fewer unique keys of this length (%d) are left in this period than are asked for',
  409,
)
export const KeyspaceUnavailable = problem<[]>(
  'KEYSPACE_UNAVAILABLE',
  'No keys of fewer than 16 bytes for now: the store of unique keys is away',
  503,
)
export const KeyspaceFenced = problem<[]>(
  'KEYSPACE_FENCED',
  'No keys of fewer than 16 bytes before a rotation: the store of unique keys has lost what it knew',
  503,
)
export const Overloaded = problem<[]>('OVERLOADED', 'Too busy for now: try again', 503)
export const NotReady = problem<[string]>('NOT_READY', 'Not ready: %s', 503)

/** The problem type (RFC 9457, section 3.1.1) of a code, relative to the server: `/problems/not-found`. */
export function problemType(code: string): string {
  return `/problems/${code.toLowerCase().replaceAll('_', '-')}`
}

/** The title (RFC 9457, section 3.1.3) of a code: `Not found`. */
export function problemTitle(code: string): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
