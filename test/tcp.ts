import { connect, type Server, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, vi } from 'vitest'
import { scrape } from './helper.ts'

/** An answer on a connection. */
export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The bytes of a well-formed request after which the connection stays open. */
export function kept(method: string, target: string, headers: readonly string[] = [], body = ''): string {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', ...headers]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

/** The bytes of a well-formed request after which the server closes the connection. */
export function request(method: string, target: string, headers: readonly string[] = [], body = ''): string {
  return kept(method, target, ['Connection: close', ...headers], body)
}

/** The bytes of a request for which HTTP/1.1 asks a Host header, without one. */
export function noHost(target: string): string {
  return `GET ${target} HTTP/1.1\r\nConnection: close\r\n\r\n`
}

/**
 * All that a server on the loopback answers to `bytes`, read as Latin-1, until the connection is closed: by the
 * server, or after the bytes in the client's `ending`.
 */
export function converse(
  port: number,
  bytes: string | Uint8Array,
  ending?: 'half-close' | 'reset',
): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    text += chunk
  })
  // A server may close while a client still sends: what it answered counts, not the reset.
  socket.on('error', () => undefined)
  socket.on('close', () => resolve(text))
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => {
    if (ending === 'reset') socket.resetAndDestroy()
  })
  if (ending === 'half-close') socket.end()
  return promise
}

/** The first answer to `bytes`, with all that follows its header as its body. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<Answer> {
  return readAnswer(await converse(port, bytes))
}

/** The answers that follow each other in `text`, each as long as its header says. */
export function answersIn(text: string): Answer[] {
  const answers: Answer[] = []
  for (let rest = text; rest !== ''; ) {
    const answer = readAnswer(rest)
    const body = answer.body.slice(0, Number(answer.headers['content-length']))
    answers.push({ ...answer, body })
    rest = answer.body.slice(body.length)
  }
  return answers
}

function readAnswer(text: string): Answer {
  const headEnd = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: text.slice(headEnd + 4),
  }
}

/** Codes that `app` has counted so far, those of the scrape that asks not among them: `200 key 3`. */
export async function counted(app: FastifyInstance): Promise<string[]> {
  return [...(await scrape(app))]
    .filter(([name, value]) => name.startsWith('http_status_codes{') && value > 0)
    .map(([name, value]) => `${name.replace(/\D*"(\d+)",handler="(\w+)"}/, '$1 $2')} ${value}`)
}

/** Whether `server` goes on reading from a client that has its answer and is still sending. */
export async function readsOn(server: Server, port: number, bytes: string): Promise<boolean> {
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  onTestFinished(() => void client.destroy())
  client.on('error', () => undefined)
  const answered = new Promise((resolve) => client.once('data', resolve))
  client.write(bytes)
  const socket = await accepted
  await answered
  client.write('1'.repeat(1000))
  await vi.waitFor(() => expect(socket.bytesRead).toBe(bytes.length + 1000), { timeout: 3000 })
  return !socket.destroyed
}
