/** Where the setting says that the key space is kept. */
export type Location =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'kubernetes'; readonly secret: string }

/** What a setting may be, for whoever gave something else. */
const FORMS = 'the path of a file, postgres://user@host/database or kubernetes:name-of-a-secret'

/**
 * Reads the setting `store`.
 * @returns the place, or what the setting must be instead; the setting is not repeated, as it may hold a password.
 */
export function readLocation(setting: string): Location | string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(setting)?.[1]?.toLowerCase()
  if (setting === '') return `must be ${FORMS}; it is empty`
  if (/(^|\s)(host|hostaddr|service|dbname|user|password|port)\s*=/i.test(setting)) {
    return `must be ${FORMS}; words like host= and password= are none of these`
  }
  if (scheme === undefined) {
    return setting.includes('\0') ? `must be ${FORMS}` : { kind: 'file', path: setting }
  }
  if (scheme === 'postgres' || scheme === 'postgresql') {
    return isPostgresUrl(setting)
      ? { kind: 'postgres', url: setting }
      : 'must be a URL like postgres://user:password@host:5432/database, with % codes for what is special in the password'
  }
  if (scheme === 'kubernetes') {
    const secret = setting.slice('kubernetes:'.length)
    return /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(secret)
      ? { kind: 'kubernetes', secret }
      : 'must name a Secret, as in kubernetes:key-server-keys: up to 253 of a-z, 0-9, "-" and "."'
  }
  return `must be ${FORMS}; nothing else before a colon is known`
}

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { hostname, pathname } = new URL(text)
  return hostname !== '' && !pathname.includes('@')
}
