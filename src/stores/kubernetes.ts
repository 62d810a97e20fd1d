import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { OPERATION_TIMEOUT_MS, type Snapshot, type Store, StoreError } from './store.ts'

/** More than any Secret: they may hold 1 MiB of data. */
const MAX_ANSWER_BYTES = 4 * 1_048_576

/** What the API asks to wait is honoured up to here, as leases end after a minute without a read. */
const MAX_RETRY_AFTER_S = 30

/** How a pod reaches the API of its cluster. */
export interface Cluster {
  readonly api: string
  /** Holds the service account's `token`, `ca.crt` and `namespace`. */
  readonly folder: string
  readonly timeoutMs: number
}

const POD: Cluster = {
  api: 'https://kubernetes.default.svc',
  folder: '/var/run/secrets/kubernetes.io/serviceaccount',
  timeoutMs: OPERATION_TIMEOUT_MS,
}

/** The parts of a Secret that matter here; the others go back as they came. */
interface Secret {
  readonly metadata: { readonly resourceVersion: string }
  readonly data?: Readonly<Record<string, string>> | null
}

interface Answer {
  readonly status: number
  readonly date: number
  readonly body: string
}

/** What statuses mean that stay until somebody acts. */
const LASTING: Readonly<Record<number, string>> = {
  401: "refuses the service account's token",
  403: 'lets this service account not get and update the Secret: its Role must',
  404: 'has no such Secret in this namespace: an empty one must be made first',
  413: 'finds the state too large',
  422: 'refuses the state: is the Secret immutable?',
}

/** A store in one Secret, which must be there, by a service account that may get and update it. */
export class KubernetesStore implements Store {
  readonly #name: string
  readonly #cluster: Cluster
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 })
  #latest: Secret | undefined
  #waitUntil = 0

  constructor(name: string, cluster: Partial<Cluster> = {}) {
    this.#name = name
    this.#cluster = { ...POD, ...cluster }
  }

  async read(): Promise<Snapshot> {
    const { body, date } = await this.#call('GET')
    if (Number.isNaN(date)) throw new StoreError('the Kubernetes store answers without a date')
    const { data, metadata } = this.#remember(body)
    const state = data?.state === undefined ? undefined : Buffer.from(data.state, 'base64').toString()
    return { state, version: metadata.resourceVersion, now: date }
  }

  async swap(version: string, state: string): Promise<boolean> {
    const secret =
      this.#latest?.metadata.resourceVersion === version
        ? this.#latest
        : this.#remember((await this.#call('GET')).body)
    if (secret.metadata.resourceVersion !== version) return false
    const data = {
      ...secret.data,
      state: Buffer.from(state).toString('base64'),
      // An update that changes nothing would leave the version as it was, for others to swap against.
      swap: Buffer.from(randomUUID()).toString('base64'),
    }
    const { status, body } = await this.#call('PUT', JSON.stringify({ ...secret, data }))
    if (status === 409) return false
    this.#remember(body)
    return true
  }

  async close(): Promise<void> {
    this.#agent.destroy()
  }

  #remember(body: string): Secret {
    this.#latest = secretIn(body)
    return this.#latest
  }

  async #call(method: 'GET' | 'PUT', body?: string): Promise<Answer> {
    const wait = this.#waitUntil - performance.now()
    if (wait > 0) {
      throw new StoreError('the Kubernetes store asked to wait', { retryAfter: Math.ceil(wait / 1000) })
    }
    const signal = AbortSignal.timeout(this.#cluster.timeoutMs)
    let response: IncomingMessage
    let text: string
    try {
      response = await this.#send(method, body, signal)
      text = await readBody(response)
    } catch (error) {
      if (signal.aborted) throw new StoreError('the Kubernetes store does not answer in time')
      throw error instanceof StoreError ? error : failure(error as NodeJS.ErrnoException)
    }
    const { statusCode: status = 0, headers } = response
    if (status === 200 || status === 409) return { status, date: Date.parse(headers.date ?? ''), body: text }
    const meaning = LASTING[status]
    if (meaning !== undefined) {
      throw new StoreError(`the Kubernetes store ${meaning} (${status})`, { lasting: true })
    }
    const asked = headers['retry-after'] ?? ''
    const retryAfter = /^[0-9]+$/.test(asked) ? Math.min(Number(asked), MAX_RETRY_AFTER_S) : undefined
    this.#waitUntil = performance.now() + (retryAfter ?? 0) * 1000
    throw new StoreError(`the Kubernetes store answers with status ${status}`, { retryAfter })
  }

  async #send(method: string, body: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const { api, folder } = this.#cluster
    // All three are read each time: the kubelet renews the token, and a cluster its certificates.
    const read = (file: string) => readFile(join(folder, file), 'utf8')
    const [token, ca, namespace] = await Promise.all([read('token'), read('ca.crt'), read('namespace')])
    const outgoing = request(new URL(`/api/v1/namespaces/${namespace.trim()}/secrets/${this.#name}`, api), {
      method,
      ca,
      agent: this.#agent,
      signal,
      headers: {
        authorization: `Bearer ${token.trim()}`,
        accept: 'application/json',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    })
    const answered = once(outgoing, 'response')
    // An end after the answer has begun is an error of the answer too, where it is read.
    outgoing.on('error', () => undefined)
    outgoing.end(body)
    const [response] = (await answered) as [IncomingMessage]
    return response
  }
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES)
      throw new StoreError('the Kubernetes store answers something that is no Secret')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function secretIn(body: string): Secret {
  try {
    const secret = JSON.parse(body) as Secret
    const { resourceVersion } = secret.metadata
    const state: unknown = secret.data?.state
    if (typeof resourceVersion === 'string' && (state === undefined || typeof state === 'string'))
      return secret
  } catch {
    // Said below: the parser's words may repeat what is stored.
  }
  throw new StoreError('the Kubernetes store answers something that is no Secret')
}

function failure({ code, name }: NodeJS.ErrnoException): StoreError {
  if (code === 'ENOENT') {
    return new StoreError('the Kubernetes store needs a pod with the token of its service account mounted', {
      lasting: true,
    })
  }
  return new StoreError(`the Kubernetes store fails: ${code ?? name}`)
}
