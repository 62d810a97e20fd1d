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
    app.setErrorHandler<Error>((error, request, reply) =>
      answer(problemOf(error, request, log), request, reply),
    )
    app.addHook('onRequest', (request, _reply, done) => {
      const problem = refusal(app, request)
      if (problem === undefined) done()
      // Probes are let be, those without a Host too.
      else if (isUnrouted(request) || isKeyPath(request.url)) withinLimit(request, problem, done)
      else done(problem)
    })
  },
  { name: 'errors', fastify: '5.x', dependencies: ['metrics', 'rate-limit'] },
)

/** What answers what the router refuses before any hook runs: bad escapes and parameters over 100 characters. */
export function routerErrors(log: FastifyBaseLogger) {
  return (_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const usual = isKeyPath(request.url) ? new InvalidKeyLength() : new MalformedRequest()
    withinLimit(request, usual, (error) => {
      const problem = problemOf(error, request, log)
      request.server.counters.answered(handlerOf(request), problem.statusCode)
      void answer(problem, request, reply)
      // Fastify sets its own line up only for requests that reach a route.
      requestLog.requestCompleted(null, request, reply)
    })
  }
}

/** Refuses what no limit by address has seen: with that problem, or as one call too many. */
function withinLimit(request: FastifyRequest, problem: Problem, refuse: (error: Error) => void): void {
  const { byAddress } = request.server.limits
  if (byAddress === undefined) refuse(problem)
  else byAddress(request).then(() => refuse(problem), refuse)
}

/** What a client is told of an error; what it is not told goes into the log. */
function problemOf(error: Error, request: FastifyRequest, log: FastifyBaseLogger): Problem {
  const problem = error instanceof Problem ? error : new InternalError()
  if (problem.statusCode === 500) {
    log.error({ err: error, method: request.method, path: loggedPath(request.url) }, 'a request failed')
  }
  return problem
}

function refusal(app: FastifyInstance, request: FastifyRequest): Problem | undefined {
  if (isUnrouted(request)) return unknownRoute(app, request.url)
  // RFC 9112, section 3.2. Node's own check would answer before anything could count it.
  const { headers, httpVersion } = request.raw
  if (headers.host === undefined) return httpVersion === '1.1' ? new MissingHost() : undefined
  // Several, which Node has joined: this server and a proxy may each believe another one.
  return headers.host.includes(',') ? new MalformedRequest() : undefined
}

/** Whether no route takes it; the router takes `GET *` for the root. */
function isUnrouted({ is404, url }: FastifyRequest): boolean {
  return is404 || url === '*'
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
