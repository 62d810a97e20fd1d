import type { Handler } from '../metrics/counters.ts'

/** The route of keys; `/key/` is the empty length. */
export const KEY_ROUTE = '/key/:length'

/** The path of a request target: without the origin of an absolute one, query and fragment. */
export function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  return path
}

/**
 * Whether a request target is one of the key route, by the router's rules, and for what the router does not take
 * there too: a bad escape, an over-long parameter or another method.
 */
export function isKeyPath(target: string): boolean {
  const [root, first, length, ...rest] = pathOf(target).split('/')
  return (
    root === '' &&
    first?.replace(/%([0-9a-f]{2})/gi, decodeEscape) === 'key' &&
    length !== undefined &&
    rest.length === 0
  )
}

/** Under which label the answer to a request is counted. */
export function handlerOf({ method, url }: { method: string; url: string }): Handler {
  return method !== 'HEAD' && isKeyPath(url) ? 'key' : 'other'
}

function decodeEscape(_escape: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16))
}
