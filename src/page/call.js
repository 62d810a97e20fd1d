import { find } from './elements.js'

/**
 * What went wrong, for people, and what the server calls it.
 * @typedef {{ detail: string, type?: string }} Fault
 */

/**
 * What the server answers to a call for keys in JSON.
 * @typedef {{ length: number, format: string, entropyBits: number, key?: string, keys?: string[], period?: number,
 * expiresAt?: string }} Answer
 */

/** @param {string} id */
export function entry(id) {
  return find(id, HTMLInputElement).value.trim()
}

/** What is chosen in a list. @param {string} id */
function choice(id) {
  return find(id, HTMLSelectElement).value
}

/** The URL of the call that the form asks for. What is no number is left to the server to refuse, as an empty length. */
function callUrl() {
  const length = entry('length')
  const url = new URL(`key/${/^[0-9]+$/.test(length) ? length : ''}`, document.baseURI)
  const { options } = find('format', HTMLSelectElement)
  if (choice('format') !== options[0]?.value) url.searchParams.set('format', choice('format'))
  if (!['', '1'].includes(entry('count'))) url.searchParams.set('count', entry('count'))
  if (entry('prefix') !== '') url.searchParams.set('prefix', entry('prefix'))
  if (choice('checksum') !== '') url.searchParams.set('checksum', choice('checksum'))
  return url.href
}

/**
 * The same call on a command line, with the API key in a variable that curl reads from a pipe: others can see its arguments.
 * @param {boolean} auth whether one is needed
 */
export function curlLine(auth) {
  const [key, header] = auth ? [`printf 'Authorization: Bearer %s' "$API_KEY" | `, ' -H @-'] : ['', '']
  const output = choice('format') === 'raw' ? ' -o key.bin' : ''
  return `${key}curl -fsS -X POST${header}${output} '${callUrl().replaceAll("'", '%27')}'`
}

/**
 * Asks for what the form says, by POST, so that no cache and no history has any part in it.
 * @param {AbortSignal} signal
 * @returns {Promise<Answer | Blob | Fault>} raw keys are a Blob
 */
export async function callForKeys(signal) {
  const apiKey = entry('api-key')
  if (!/^[!-~]*$/.test(apiKey))
    return {
      detail: 'An API key is ks_ and 70 letters and digits, with nothing before it and no spaces in it',
      type: '/problems/unauthorized',
    }
  const raw = choice('format') === 'raw'
  const headers = new Headers({ accept: raw ? 'application/octet-stream' : 'application/json' })
  if (apiKey !== '') headers.set('authorization', `Bearer ${apiKey}`)
  try {
    const response = await fetch(callUrl(), {
      method: 'POST',
      cache: 'no-store',
      redirect: 'error',
      headers,
      signal,
    })
    if (!response.ok) return await faultOf(response)
    return raw ? await response.blob() : await response.json()
  } catch (error) {
    if (signal.aborted) throw error
    return { detail: 'The server could not be reached, or its answer broke off. Try again.' }
  }
}

/** @param {Response} response @returns {Promise<Fault>} */
export async function faultOf(response) {
  const text = await response.text()
  if (response.headers.get('content-type')?.startsWith('application/problem+json')) return JSON.parse(text)
  // Something between here and the server, such as a proxy, answers in pages of its own.
  const plain = response.headers.get('content-type')?.startsWith('text/plain')
  return { detail: plain && text.trim() !== '' ? text.trim() : `The answer was ${response.status}.` }
}
