import { METHODS } from 'node:http'
import fc from 'fast-check'

/** The largest key of a server that these calls are for. */
export const MAX_SIZE = 64

export const mostly = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: rare })

export const anyText = fc.string({ unit: 'binary', maxLength: 40 })
export const method = mostly(fc.constantFrom('GET', 'GET', 'POST', 'HEAD'), fc.constantFrom(...METHODS))
export const number = fc.integer({ min: -1, max: MAX_SIZE + 1 }).map(String)
export const path = mostly(
  mostly(number, anyText.map(encodeURIComponent)).map((length) => `/key/${length}`),
  fc.oneof(
    fc.webPath(),
    anyText.map((text) => `/${text}`),
    fc.constantFrom('/key', '/metrics', '/livez', '/readyz', '//', '/key/16/', '/%', '/key/%zz'),
  ),
)
export const query = fc
  .array(
    fc.tuple(
      mostly(fc.constantFrom('format', 'count', 'prefix', 'checksum', '__proto__'), anyText),
      fc.oneof(fc.constantFrom('raw', 'base58', 'base64', 'crc32', 'a_'), number, anyText),
    ),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&'))
const headerName = fc.oneof(
  fc.constantFrom('accept', 'content-type', 'expect', 'host', 'connection', 'upgrade', 'accept-version'),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/),
)
const headerValue = fc.oneof(
  fc.constantFrom('application/json', 'a/b;c="', '100-continue', 'close', 'keep-alive', 'h2c', ''),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) }),
)
export const headers = fc.array(fc.tuple(headerName, headerValue), { maxLength: 4 })

const framing = mostly(
  fc.constant<string[]>(['Host: a']),
  fc.constantFrom<string[]>([], ['Transfer-Encoding: chunked'], ['Content-Length: 5'], ['Content-Length: 0']),
)
const body = mostly(
  fc.constant(''),
  fc.constantFrom('0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', 'hello', 'zz\r\n'),
)
const version = mostly(fc.constant('HTTP/1.1'), fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', ''))
const message = fc
  .tuple(method, path, query, version, framing, headers, body)
  .map(([name, target, pairs, protocol, frame, lines, rest]) => {
    const authority = name === 'CONNECT' ? 'a:80' : `${target}?${pairs}`
    const fields = [...frame, ...lines.map(([field, value]) => `${field}: ${value}`)]
    return [`${name} ${authority} ${protocol}`, ...fields, '', rest].join('\r\n')
  })
const sound = fc.array(message, { minLength: 1, maxLength: 3 }).map((parts) => Buffer.from(parts.join('')))
const damaged = fc.tuple(sound, fc.nat(), fc.nat(255)).map(([bytes, place, byte]) => {
  bytes[place % bytes.length] = byte
  return bytes
})
const garbage = fc.uint8Array({ minLength: 1, maxLength: 500 }).map((bytes) => Buffer.from(bytes))

/** Requests one after the other, some of them damaged, and what is none at all. */
export const rawBytes = fc.oneof(sound, mostly(damaged, garbage))
