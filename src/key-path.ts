/** The route of keys; `/key/` is the empty length. */
export const KEY_ROUTE = '/key/:length'

/** The path of a request target: without the origin of an absolute one, query and fragment. */
export function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  return path
}

/**
 * Whether a request target is one of the key route, for requests that the router did not take there: those
 * with a bad escape, an over-long parameter or another method.
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

function decodeEscape(_escape: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16))
}
