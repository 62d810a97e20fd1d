import { connect } from 'node:net'

/** The first answer on a connection. */
export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The bytes of a well-formed request after which the server closes the connection. */
export function request(method: string, target: string, headers: readonly string[] = [], body = ''): string {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
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

/** The first answer to `bytes`. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<Answer> {
  const text = await converse(port, bytes)
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
