import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** The least size of the token of administrators. */
export const LEAST_TOKEN_BYTES = 32

/** The token in a file's text: without the newline at its end. */
export function tokenIn(text: string): string {
  return text.replace(/\r?\n$/, '')
}

/**
 * Whether an Authorization header (RFC 6750, section 2.1) has the token that the file holds now, so that a new one
 * needs no new start. How long it takes tells nothing of the token.
 * @throws for a file that can't be read or holds less than a token.
 */
export async function isAdmin(authorization: string | undefined, file: string): Promise<boolean> {
  const token = tokenIn(await readFile(file, 'utf8'))
  if (Buffer.byteLength(token) < LEAST_TOKEN_BYTES) throw new Error('the admin token is too short')
  const given = /^Bearer +(.*)$/i.exec(authorization ?? '')?.[1] ?? ''
  const digest = (text: string, encoding: 'utf8' | 'latin1') =>
    createHash('sha256').update(text, encoding).digest()
  return timingSafeEqual(digest(given, 'latin1'), digest(token, 'utf8'))
}
