import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { prefersJson } from '../src/http/accept.ts'
import { handlerOf, isKeyPath } from '../src/http/key-path.ts'
import {
  InternalError,
  InvalidKeyLength,
  MalformedRequest,
  MethodNotAllowed,
  MissingHost,
  NotFound,
  Problem,
  problemTitle,
  problemType,
} from '../src/problems/problems.ts'
import { loggedPath, requestLog } from '../src/request-log.ts'

/** What a client should wait before it tries again what is refused for now. */
const RETRY_AFTER_SECONDS = '1'

/** Turns whatever is thrown into an answer, and requests that no route takes into problems. */
export default fp<{ log: FastifyBaseLogger }>(
  async (app, { log }) => {
    app.setErrorHandler<Error>((error, request, reply) => {
      const problem = error instanceof Problem ? error : new InternalError()
      if (problem.statusCode === 500) {
        log.error({ err: error, method: request.method, path: loggedPath(request.url) }, 'a request failed')
      }
      return answer(problem, request, reply)
    })
    app.addHook('onRequest', (request, _reply, done) => {
      done(refusal(app, request))
    })
  },
  { name: 'errors', fastify: '5.x', dependencies: ['metrics'] },
)

/**
 * Answers what the router refuses before any hook runs: bad escapes and parameters over 100 characters. They count
 * against the limit of their address as what a hook sees does.
 */
export function answerRouterError(_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const refuse = (problem: Error) => answerUnrouted(problem, request, reply)
  const { byAddress } = request.server.limits
  const usual = isKeyPath(request.url) ? new InvalidKeyLength() : new MalformedRequest()
  if (byAddress === undefined) refuse(usual)
  else byAddress(request).then(() => refuse(usual), refuse)
}

function answerUnrouted(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const problem = error instanceof Problem ? error : new InternalError()
  request.server.counters.answered(handlerOf(request), problem.statusCode)
  void answer(problem, request, reply)
  // Fastify sets its own line up only for requests that reach a route.
  requestLog.requestCompleted(null, request, reply)
}

function refusal(app: FastifyInstance, request: FastifyRequest): Problem | undefined {
  if (request.is404) return unknownRoute(app, request.url)
  // RFC 9112, section 3.2. Node's own check would answer before anything could count it.
  const { headers, httpVersion } = request.raw
  return headers.host === undefined && httpVersion === '1.1' ? new MissingHost() : undefined
}

function unknownRoute(app: FastifyInstance, url: string): Problem {
  const methods = ['GET', 'HEAD', 'POST'] as const
  // `OPTIONS *` (RFC 9110, section 9.3.7) is about no path, but the router would take it for that of the root.
  const known = url === '*' ? [] : methods.filter((method) => app.findRoute({ method, url }) !== null)
  const allow = known.join(', ')
  return allow === '' ? new NotFound() : Object.assign(new MethodNotAllowed(allow), { headers: { allow } })
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { code, statusCode, message, detail = message, headers = {} } = problem
  reply
    .code(statusCode)
    .headers({ ...headers, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  if (statusCode === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
  if (!prefersJson(request.headers.accept))
    return reply.type('text/plain; charset=utf-8').send(`${message}\n`)
  const document = { type: problemType(code), title: problemTitle(code), status: statusCode, detail }
  // A buffer, because Fastify would add a charset, which RFC 8259 has none of, to a JSON type.
  return reply.type('application/problem+json').send(Buffer.from(JSON.stringify(document)))
}
