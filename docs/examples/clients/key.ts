// Prints a key of a key-server. usage: node key.ts [URL]    (Node 24 or later)
// KEY_SERVER_API_KEY is an API key to send, KEY_SERVER_DEADLINE the seconds after which to give up (30).
import { setTimeout as sleep } from 'node:timers/promises'

const TRIES = 5
const TRY_MS = 5_000
const FIRST_BACKOFF_MS = 200

/** A refusal that asking again does not change. */
class Refused extends Error {}

/** The server is busy or away: ask again, after that many milliseconds or later. */
class Busy extends Error {
  readonly after: number

  constructor(message: string, after: number) {
    super(message)
    this.after = after
  }
}

/** A key as text, or an error that says why there is none after `deadlineMs`. */
export async function fetchKey(url: URL, deadlineMs: number, apiKey?: string): Promise<string> {
  const deadline = performance.now() + deadlineMs
  for (let tried = 1; ; tried++) {
    try {
      return await ask(url, Math.max(1, Math.min(TRY_MS, deadline - performance.now())), apiKey)
    } catch (error) {
      if (error instanceof Refused || tried === TRIES) throw error
      // Anything from nothing to the back-off, so that those who were refused together do not come back together.
      const jitter = Math.random() * FIRST_BACKOFF_MS * 2 ** (tried - 1)
      const wait = (error instanceof Busy ? error.after : 0) + jitter
      if (performance.now() + wait >= deadline) throw error
      await sleep(wait)
    }
  }
}

/** Asks once. POST, as a proxy may repeat a GET by itself, and each takes a key of its own. */
async function ask(url: URL, ms: number, apiKey?: string): Promise<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: apiKey ? { Authorization: `Bearer ${apiKey}` } : {},
    redirect: 'manual',
    signal: AbortSignal.timeout(Math.ceil(ms)),
  })
  const text = await answer.text()
  if (answer.status === 200) return text
  const reason = `${answer.status} ${text.trim()}`
  // 502 and 504 come from proxies that reached no server.
  if (![429, 502, 503, 504].includes(answer.status)) throw new Refused(reason)
  throw new Busy(reason, retryAfter(answer.headers.get('Retry-After') ?? ''))
}

/** The milliseconds that Retry-After asks for: it is a number of seconds or a date. */
function retryAfter(value: string): number {
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms > 0 ? ms : 0
}

if (import.meta.main) {
  const url = process.argv[2] ?? 'http://localhost:1123/key/16'
  const { KEY_SERVER_API_KEY, KEY_SERVER_DEADLINE = '30' } = process.env
  try {
    console.log(await fetchKey(new URL(url), Number(KEY_SERVER_DEADLINE) * 1000, KEY_SERVER_API_KEY))
  } catch (error) {
    const { message, cause } = error as Error
    console.error(`key.ts: no key from ${url}: ${cause instanceof Error ? cause.message : message}`)
    process.exitCode = 1
  }
}
