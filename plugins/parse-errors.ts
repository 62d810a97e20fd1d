import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import fp from 'fastify-plugin'
import {
  HeadersTooLarge,
  MalformedRequest,
  MethodNotAllowed,
  type Problem,
  RequestTimeout,
} from '../src/problems/problems.ts'

/** How long a refused client may go on sending; ending at once would reset the connection under the answer. */
const LINGER_MS = 500

declare module 'fastify' {
  interface FastifyInstance {
    /** Answers bytes that Node's parser could not read as HTTP. */
    refuse(error: Error & { code?: string }, socket: Duplex): void
  }
}

/** Answers and counts what Node would answer, or drop, before Fastify sees it. */
export default fp(
  async (app) => {
    const refused = new WeakSet<Duplex>()
    const refuse = (problem: Problem, socket: Duplex, headers: string[] = []) => {
      // Each further piece of what can't be read comes here too.
      if (refused.has(socket)) return
      refused.add(socket)
      socket.on('error', () => socket.destroy())
      afterAnswers(socket, (answered) => {
        if (answered) socket.destroy()
        if (!socket.writable) return
        app.counters.answered('other', problem.statusCode)
        socket.end(rawAnswer(problem, headers))
        setTimeout(() => socket.destroy(), LINGER_MS).unref()
      })
    }
    app.decorate('refuse', (error, socket) => {
      // A client that ends in the middle of a message asks for nothing, and often has its answer.
      if (error.code === 'ECONNRESET' || error.code === 'HPE_INVALID_EOF_STATE') {
        afterAnswers(socket, () => socket.destroy())
      } else refuse(problemOf(error.code), socket)
    })
    app.server.on('connect', (_request, socket) => {
      refuse(new MethodNotAllowed('GET, HEAD, POST'), socket, ['Allow: GET, HEAD, POST'])
    })
    // RFC 9110, section 10.1.1 lets a server ignore an expectation; Node would answer 417 by itself.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  },
  { name: 'parse-errors', fastify: '5.x', dependencies: ['metrics'] },
)

/**
 * Calls `next` once every earlier request on the connection has its answer, and says whether the one that can't be
 * read to its end has its answer too. Only Node knows which answer it is writing, and keeps it in a property that
 * its own handling of parse errors looks at.
 */
function afterAnswers(
  socket: Duplex & { _httpMessage?: ServerResponse | null },
  next: (answered: boolean) => void,
  answered = false,
): void {
  const answer = socket._httpMessage
  if (answer && (answer.req.complete || answer.writableEnded)) {
    answer.once('finish', () => afterAnswers(socket, next, !answer.req.complete))
  } else {
    next(answered)
  }
}

function problemOf(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadersTooLarge()
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimeout()
  return new MalformedRequest()
}

function rawAnswer({ statusCode, message }: Problem, headers: string[]): string {
  return [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`,
    ...headers,
    'Connection: close',
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${message.length + 1}`,
    '',
    `${message}\n`,
  ].join('\r\n')
}
