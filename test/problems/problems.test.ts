import { describe, expect, test } from 'vitest'
import * as problems from '../../src/problems/problems.ts'

const table: [type: string, title: string, status: number, problem: problems.Problem][] = [
  ['invalid-key-length', 'Invalid key length', 400, new problems.InvalidKeyLength()],
  ['unknown-format', 'Unknown format', 400, new problems.UnknownFormat('hex, raw')],
  ['invalid-count', 'Invalid count', 400, new problems.InvalidCount(1000)],
  ['batch-too-large', 'Batch too large', 400, new problems.BatchTooLarge(1024)],
  ['invalid-prefix', 'Invalid prefix', 400, new problems.InvalidPrefix()],
  ['unknown-checksum', 'Unknown checksum', 400, new problems.UnknownChecksum()],
  ['repeated-parameter', 'Repeated parameter', 400, new problems.RepeatedParameter('count')],
  ['repeated-header', 'Repeated header', 400, new problems.RepeatedHeader('x-user-id')],
  ['raw-not-combinable', 'Raw not combinable', 400, new problems.RawNotCombinable()],
  ['base58-too-large', 'Base58 too large', 400, new problems.Base58TooLarge(64, 16_384)],
  ['body-not-allowed', 'Body not allowed', 413, new problems.BodyNotAllowed()],
  ['invalid-since', 'Invalid since', 400, new problems.InvalidSince(7)],
  ['admin-token-needed', 'Admin token needed', 401, new problems.AdminTokenNeeded()],
  ['unauthorized', 'Unauthorized', 401, new problems.Unauthorized()],
  ['forbidden', 'Forbidden', 403, new problems.Forbidden('key')],
  ['too-many-requests', 'Too many requests', 429, new problems.TooManyRequests(60)],
  ['overloaded', 'Overloaded', 503, new problems.Overloaded()],
  ['not-found', 'Not found', 404, new problems.NotFound()],
  ['method-not-allowed', 'Method not allowed', 405, new problems.MethodNotAllowed('GET, HEAD')],
  ['malformed-request', 'Malformed request', 400, new problems.MalformedRequest()],
  ['missing-host', 'Missing host', 400, new problems.MissingHost()],
  ['request-timeout', 'Request timeout', 408, new problems.RequestTimeout()],
  ['headers-too-large', 'Headers too large', 431, new problems.HeadersTooLarge()],
  ['internal-error', 'Internal error', 500, new problems.InternalError()],
  ['entropy-unavailable', 'Entropy unavailable', 503, new problems.EntropyUnavailable()],
  ['keyspace-exhausted', 'Keyspace exhausted', 409, new problems.KeyspaceExhausted(2)],
  ['keyspace-unavailable', 'Keyspace unavailable', 503, new problems.KeyspaceUnavailable()],
  ['keyspace-fenced', 'Keyspace fenced', 503, new problems.KeyspaceFenced()],
  ['not-ready', 'Not ready', 503, new problems.NotReady('shutting down')],
]

describe('the problems', () => {
  test.for(table)('%s: %s, %i', ([type, title, status, problem]) => {
    expect(problem).toBeInstanceOf(problems.Problem)
    expect(problem.statusCode).toBe(status)
    expect(problems.problemType(problem.code)).toBe(`/problems/${type}`)
    expect(problems.problemTitle(problem.code)).toBe(title)
    expect(problem.message).toMatch(/^[^%\n]+$/)
  })

  test('are all in this table, each with a type of its own', () => {
    const classes = Object.keys(problems).filter((name) => /^[A-Z]/.test(name) && name !== 'Problem')
    expect(new Set(table.map(([, , , problem]) => problem.constructor)).size).toBe(classes.length)
    expect(new Set(table.map(([type]) => type)).size).toBe(classes.length)
  })

  test.for([
    ['one of hex, raw', new problems.UnknownFormat('hex, raw')],
    ['from 1 to 1000', new problems.InvalidCount(1000)],
    ['at most 1024 bytes', new problems.BatchTooLarge(1024)],
    ['The parameter count', new problems.RepeatedParameter('count')],
    ['up to 64 bytes a key and 16384 bytes of keys an answer;', new problems.Base58TooLarge(64, 16_384)],
    ['use GET, HEAD', new problems.MethodNotAllowed('GET, HEAD')],
    ['Not ready: shutting down', new problems.NotReady('shutting down')],
  ] as const)('say what would do: %s', ([words, problem]) => {
    expect(problem.message).toContain(words)
  })
})
