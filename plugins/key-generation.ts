import type { ServerResponse } from 'node:http'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaValidationError,
} from 'fastify'
import { callerAddress } from '../src/http/caller-address.ts'
import { bodySize, type KeyFacts, type KeySource, makeBody, mediaType } from '../src/http/key-answer.ts'
import { type KeyCall, readKeyCall } from '../src/http/key-call.ts'
import { KEY_ROUTE } from '../src/http/key-path.ts'
import { expectNoBody, noBody, refuseBody } from '../src/http/no-body.ts'
import type { Dealer } from '../src/keys/dealer.ts'
import { formats } from '../src/keys/encodings.ts'
import { Entropy, type RandomSource } from '../src/keys/entropy.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'
import * as problems from '../src/problems/problems.ts'
import { type KeyRoute, keySchema } from '../src/schemas/key.ts'
import { type Config, RECOMMENDED_SIZE } from '../src/schemas/settings.ts'

/** A key of no more bytes makes no large answer. */
const SMALL_KEY = 4096

/** Names and values in turn, as node:http takes them. */
const ANSWER_HEADERS = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']

/** `GET`, `HEAD` and `POST /key/{length}`. */
export default async function keyGeneration(
  app: FastifyInstance,
  { log, randomSource }: { log: FastifyBaseLogger; randomSource?: RandomSource | undefined },
): Promise<void> {
  const { config } = app
  const entropy = new Entropy(randomSource, (healthy, error) => {
    if (healthy) log.info('The source of randomness passes its self-test again')
    else log.error({ err: error }, 'The source of randomness fails its self-test: no keys until it passes')
  })
  watch(app, entropy)
  expectNoBody(app)

  const route = {
    url: KEY_ROUTE,
    schema: keySchema(config),
    schemaErrorFormatter: (errors: FastifySchemaValidationError[]) => problemOf(errors[0], config),
  }
  const read = ({ params, query, headers }: FastifyRequest<KeyRoute>) =>
    readKeyCall(params, query, headers.accept, config.maxBatchBytes)
  const make = (reply: FastifyReply, call: KeyCall, source: KeySource) => {
    if (call.length > SMALL_KEY || call.count !== undefined) {
      app.holdAnswer(reply.raw, bodySize(call, source) ?? call.length * (call.count ?? 1) * 2)
    }
    const body = makeBody(call, source)
    app.counters.handedOut(call.length, call.count ?? 1)
    if (config.logRequests) logHandedOut(reply.request, call)
    return body
  }
  const dealerOf = (request: FastifyRequest, { length }: KeyCall) => {
    if (length >= RECOMMENDED_SIZE || app.dealer === undefined) return undefined
    app.auth?.demand('key:unique', request)
    return app.dealer
  }
  const { salt } = app
  const sourceFor = (request: FastifyRequest) =>
    salt === undefined ? entropy : salt.source(request, entropy)
  const answerGet = (request: FastifyRequest, reply: FastifyReply, call: KeyCall, source: KeySource) => {
    const body = make(reply, call, source)
    reply.hijack()
    app.counters.answered('key', 200, request.startedAt)
    writeAnswer(reply.raw, call, body, source)
  }
  const answerPost = (reply: FastifyReply, call: KeyCall, source: KeySource) =>
    describe(reply, call, source).send(make(reply, call, source))

  app.route<KeyRoute>({
    ...route,
    method: 'GET',
    exposeHeadRoute: false,
    handler: (request, reply) => {
      refuseBody(request.raw)
      const call = read(request)
      const dealer = dealerOf(request, call)
      if (dealer === undefined) return answerGet(request, reply, call, sourceFor(request))
      return whenReady(dealer, call, () => answerGet(request, reply, call, dealer))
    },
  })
  app.route<KeyRoute>({
    ...route,
    method: 'POST',
    ...noBody,
    handler: (request, reply) => {
      const call = read(request)
      const dealer = dealerOf(request, call)
      if (dealer === undefined) return answerPost(reply, call, sourceFor(request))
      return whenReady(dealer, call, () => answerPost(reply, call, dealer))
    },
  })
  app.route<KeyRoute>({
    ...route,
    method: 'HEAD',
    handler: (request, reply) => {
      refuseBody(request.raw)
      const call = read(request)
      const dealer = dealerOf(request, call)
      const refusal =
        dealer === undefined ? entropyRefusal(entropy) : dealer.refusal(call.length, call.count ?? 1)
      if (refusal !== undefined) throw refusal
      const facts = dealer ?? salt?.facts(request)
      const size = bodySize(call, facts)
      if (size !== undefined) reply.header('content-length', size)
      return describe(reply, call, facts).send()
    },
  })
}

/**
 * Answers as soon as all keys of a call can be taken: at once, or with a promise. Between the two nothing may run,
 * or another call could take them.
 */
function whenReady<T>(dealer: Dealer, call: KeyCall, answer: () => T): T | Promise<T> {
  const { length, count = 1 } = call
  if (dealer.ready(length, count)) return answer()
  return dealer.more(length, count).then(() => whenReady(dealer, call, answer))
}

/** Who got how many keys of what length, for an audit; never a key. */
function logHandedOut(request: FastifyRequest, { length, count = 1 }: KeyCall): void {
  const { log, client } = request
  log.info({ client: client?.id, remoteAddress: callerAddress(request), length, count }, 'keys handed out')
}

function entropyRefusal({ healthy }: Entropy): problems.Problem | undefined {
  return healthy ? undefined : new problems.EntropyUnavailable()
}

/**
 * Writes an answer as `describe` and `send` would, past Fastify's reply with its look at each payload and its
 * header objects. What that saves is in docs/explanation/performance.md.
 */
function writeAnswer(response: ServerResponse, call: KeyCall, body: string | Buffer, facts: KeyFacts): void {
  leaveConnectionOut(response)
  const headers = ['Content-Type', mediaType(call), ...ANSWER_HEADERS, 'Content-Length', String(body.length)]
  if (facts.period !== undefined) {
    headers.push('Key-Period', String(facts.period))
    if (facts.expires !== undefined) headers.push('Key-Expires', facts.expires)
  }
  response.writeHead(200, headers)
  response.end(body, 'latin1')
}

/**
 * Keeps Node from adding `Connection: keep-alive` and `Keep-Alive`, a fifth of an answer's bytes, where HTTP/1.1
 * takes them for granted (RFC 9112, section 9.3).
 */
function leaveConnectionOut(response: ServerResponse): void {
  if (response.shouldKeepAlive && response.req.httpVersion === '1.1' && !response.hasHeader('connection')) {
    response.removeHeader('connection')
  }
}

function describe(reply: FastifyReply, call: KeyCall, facts: KeyFacts = {}): FastifyReply {
  leaveConnectionOut(reply.raw)
  if (facts.period !== undefined) reply.header('key-period', facts.period)
  if (facts.expires !== undefined) reply.header('key-expires', facts.expires)
  return reply
    .type(mediaType(call))
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
}

function problemOf(error: FastifySchemaValidationError | undefined, config: Config): problems.Problem {
  const parameter = error?.instancePath.slice(1)
  if (error?.keyword === 'type') return new problems.RepeatedParameter(String(parameter))
  switch (parameter) {
    case 'format':
      return new problems.UnknownFormat(formats.join(', '))
    case 'count':
      return new problems.InvalidCount(config.maxCount)
    case 'prefix':
      return new problems.InvalidPrefix()
    case 'checksum':
      return new problems.UnknownChecksum()
    default:
      return Object.assign(new problems.InvalidKeyLength(), {
        detail: `The length must be a whole number from ${config.minSize} to ${config.maxSize}`,
      })
  }
}

function watch(app: FastifyInstance, entropy: Entropy): void {
  // An unready pod gets no calls, so without this a source that is well again would never be asked.
  app.health.checks.push(() =>
    entropy.recover() ? undefined : 'the source of randomness fails its self-test',
  )
  registerScraped(
    app.registry,
    'counter',
    'entropy_self_test_failures_total',
    'Blocks of random bytes thrown away, by the health test they failed; a false alarm has odds of 2^-80',
    () => Object.entries(entropy.failures).map(([test, value]) => ({ labels: { test }, value })),
  )
  registerScraped(
    app.registry,
    'gauge',
    'entropy_healthy',
    '1 while the source of randomness passes its self-test; at 0 all keys are refused',
    () => [{ value: entropy.healthy ? 1 : 0 }],
  )
}
