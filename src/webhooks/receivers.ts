import { createHash } from 'node:crypto'

/** Receivers that one server may have. */
export const MOST_RECEIVERS = 16

/** The URLs of a setting: between spaces or line ends, each once. */
export function urlsIn(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter((word) => word !== ''))]
}

/** What is wrong with a receiver's URL, or undefined. The URL is not repeated, as it may hold a token. */
export function urlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL'
  const { protocol, username, password } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:')
    return 'must begin with https:// (or http://, on purpose)'
  return username === '' && password === '' ? undefined : 'must have no user and no password'
}

/** The name of a receiver in the state, which is not to hold what may be a token. */
export function receiverId(url: string): string {
  return createHash('sha256').update(url).digest('base64url').slice(0, 16)
}
