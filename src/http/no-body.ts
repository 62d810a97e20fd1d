import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { BodyNotAllowed } from '../problems/problems.ts'

/**
 * Has the routes of a plugin wait for the end of a body or for its first byte. A byte is no error here but a body
 * for `refuseBody`, since Fastify ends the connection after a parser's error, and a client that still sends would
 * get a reset.
 */
export function expectNoBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    const empty = () => done(null)
    payload.once('end', empty)
    payload.once('data', () => {
      payload.off('end', empty)
      done(null, 'some')
    })
  })
}

/**
 * Refuses a body of GET or HEAD, which has no meaning (RFC 9110, section 9.3.1) and which Fastify does not read: a proxy that takes
 * it for the next request would not agree with this server.
 * @throws {BodyNotAllowed}
 */
export function refuseBody({ headers }: IncomingMessage): void {
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
    throw new BodyNotAllowed()
  }
}

/** The hooks of a POST route that takes no body, whatever media type it says it has: even one Fastify can't read. */
export const noBody = {
  onRequest: (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    delete request.raw.headers['content-type']
    done()
  },
  preValidation: (request: FastifyRequest, _reply: FastifyReply, done: (problem?: Error) => void): void => {
    done(request.body === undefined ? undefined : new BodyNotAllowed())
  },
}
