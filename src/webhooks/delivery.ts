import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { BlockList, LookupFunction } from 'node:net'
import type { Outcome } from '../key-space/notices.ts'
import { ForbiddenAddress, pinnedAddresses, type Resolve, systemResolve } from './addresses.ts'

/** How long a receiver may take, from the look-up of its name to the status of its answer. */
const TIMEOUT_MS = 15_000

/** What deliveries are made with. */
export interface DeliveryRules {
  /** Private addresses that receivers may have. */
  readonly allowed: BlockList
  readonly timeoutMs?: number
  readonly resolve?: Resolve
}

/** Sends a message once, follows no redirect and reads no more of the answer than its header. */
export async function deliver(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  { allowed, timeoutMs = TIMEOUT_MS, resolve = systemResolve }: DeliveryRules,
  stop: AbortSignal,
): Promise<Outcome> {
  const late = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([stop, late])
  try {
    const target = new URL(url)
    const addresses = await unlessAborted(pinnedAddresses(target.hostname, allowed, resolve), signal)
    const lookup: LookupFunction = (_hostname, { all }, done) =>
      all ? done(null, [...addresses]) : done(null, `${addresses[0]?.address}`, addresses[0]?.family)
    const send = target.protocol === 'https:' ? requestHttps : requestHttp
    const outgoing = send(target, { method: 'POST', agent: false, lookup, signal, headers })
    // The signal once more, as to Node a 101 is neither an answer nor an error.
    const answered = once(outgoing, 'response', { signal })
    // What goes wrong once there is a status changes nothing.
    outgoing.on('error', () => undefined)
    outgoing.end(body)
    const [response] = (await answered) as [IncomingMessage]
    response.on('error', () => undefined)
    outgoing.destroy()
    return outcomeOf(response)
  } catch (error) {
    if (stop.aborted) return { kind: 'aborted' }
    return { kind: 'failed', reason: late.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error) }
  }
}

function outcomeOf({ statusCode: status = 0, headers }: IncomingMessage): Outcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  if (status === 410) return { kind: 'gone' }
  return { kind: 'failed', reason: `status ${status}`, pause: pauseIn(headers['retry-after']) }
}

/** What a Retry-After header (RFC 9110, section 10.2.3) asks for, in milliseconds. */
function pauseIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const pause = /^[0-9]+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return pause > 0 ? pause : undefined
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const done = new AbortController()
  try {
    const aborted = once(signal, 'abort', { signal: done.signal }).then(() => {
      throw new Error('aborted')
    })
    return await Promise.race([promise, aborted])
  } finally {
    done.abort()
  }
}

/** Without what may be a part of the URL. */
function reasonOf(error: unknown): string {
  if (error instanceof ForbiddenAddress) return error.message
  const { code, name } = error as NodeJS.ErrnoException
  return code ?? name
}
