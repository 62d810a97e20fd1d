import type { IncomingMessage } from 'node:http'

/**
 * The token of `Authorization: Bearer` (RFC 6750, section 2.1): undefined for none at all, empty for what is no
 * single token. Where a header stands twice, a proxy before the server may have judged the other one.
 */
export function bearerToken({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const { authorization } = headers
  if (authorization === undefined) return undefined
  const names = rawHeaders.filter((text, index) => index % 2 === 0 && /^authorization$/i.test(text))
  if (names.length > 1) return ''
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1] ?? ''
}
