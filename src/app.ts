import type { Server } from 'node:http'
import Fastify, { type FastifyBaseLogger, type FastifyHttpOptions, type FastifyInstance } from 'fastify'
import apiDescription from '../plugins/api-description.ts'
import apiDocs from '../plugins/api-docs.ts'
import auth from '../plugins/auth.ts'
import config from '../plugins/config.ts'
import connections from '../plugins/connections.ts'
import errors, { routerErrors } from '../plugins/errors.ts'
import guard from '../plugins/guard.ts'
import health from '../plugins/health.ts'
import keyGeneration from '../plugins/key-generation.ts'
import keySpace from '../plugins/key-space.ts'
import metrics from '../plugins/metrics.ts'
import metricsEndpoint from '../plugins/metrics-endpoint.ts'
import overload from '../plugins/overload.ts'
import page from '../plugins/page.ts'
import parseErrors from '../plugins/parse-errors.ts'
import problemPages from '../plugins/problem-pages.ts'
import rateLimit from '../plugins/rate-limit.ts'
import rotation from '../plugins/rotation.ts'
import salt from '../plugins/salt.ts'
import securityHeaders from '../plugins/security-headers.ts'
import tls from '../plugins/tls.ts'
import webhooks from '../plugins/webhooks.ts'
import { readTlsPair } from './access/tls-pair.ts'
import { cidrsIn } from './http/cidr.ts'
import type { RandomSource } from './keys/entropy.ts'
import { requestLog } from './request-log.ts'
import type { Config } from './schemas/settings.ts'
import { wholeNumber } from './schemas/whole-number.ts'
import type { Store } from './stores/store.ts'

/** How long the header of a request may take to arrive, and the whole of it. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

/** How often Node looks for requests that take longer. */
const TIMEOUT_CHECK_MS = 2_000

/** How long nothing may move on a connection, between requests or while an answer is read; load balancers wait 60 s. */
const IDLE_TIMEOUT_MS = 72_000

/** What an app is made with, besides its settings. */
export interface AppParts {
  readonly log: FastifyBaseLogger
  /** For tests; OpenSSL's CSPRNG if left out. */
  readonly randomSource?: RandomSource | undefined
  /** Where unique keys are accounted for; what the settings name if left out. */
  readonly store?: Store | undefined
  /** The text of a file of API keys; that of the file that the settings name if left out. */
  readonly apiKeys?: string | undefined
}

/** Composes the service. It does not listen: `inject` works on it, and `listen` is the caller's. */
export async function createApp(
  settings: Config,
  { log, randomSource, store, apiKeys }: AppParts,
): Promise<FastifyInstance> {
  const proxies = cidrsIn(settings.trustProxy)
  const app: FastifyInstance = Fastify({
    // A logger in Fastify costs every request two listeners and a child of its own.
    ...(settings.logRequests ? { loggerInstance: log, logController: requestLog } : { logger: false }),
    ajv: {
      // The schemas are the project's own and hold in its tests; compiling what checks them takes a sixth of a start.
      customOptions: { coerceTypes: false, keywords: [wholeNumber], validateSchema: false },
    },
    clientErrorHandler: (error, socket) => app.refuse(error, socket),
    frameworkErrors: routerErrors(log),
    ...serverOptions(settings),
    connectionTimeout: IDLE_TIMEOUT_MS,
    maxRequestsPerSocket: settings.maxRequestsPerSocket,
    // The rest of a refused body is read and dropped, or a reset would destroy the answer; not for ever.
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(proxies.length > 0 && { trustProxy: proxies }),
    // What arrives while the server closes is answered like what came before.
    return503OnClosing: false,
  })

  await app.register(config, { config: settings })
  await app.register(metrics)
  await app.register(securityHeaders)
  await app.register(connections)
  await app.register(tls, { log })
  await app.register(parseErrors)
  await app.register(rateLimit, { log })
  await app.register(errors, { log })
  // Before the routes that it describes.
  if (settings.pages) await app.register(apiDescription)
  await app.register(health)
  await app.register(keySpace, { log, store })
  await app.register(webhooks, { log })
  await app.register(auth, { log, apiKeys })
  await app.register(salt)
  await app.register(async (scrapes) => {
    if (settings.authMetrics) await scrapes.register(guard, { scope: 'metrics' })
    await scrapes.register(metricsEndpoint)
  })
  await app.register(async (periods) => {
    // Of its routes, POST asks for the scope admin besides.
    await periods.register(guard, { scope: 'public' })
    await periods.register(rotation, { log })
  })
  await app.register(async (keys) => {
    await keys.register(overload)
    await keys.register(guard, { scope: 'key' })
    await keys.register(keyGeneration, { log, randomSource })
  })
  if (settings.pages) {
    await app.register(async (pages) => {
      await pages.register(guard, { scope: 'public' })
      await pages.register(page)
      await pages.register(apiDocs)
      await pages.register(problemPages)
    })
  }
  return app
}

/** What Node's server is made with, by Fastify's names: that of HTTP, or of HTTPS where there is a certificate. */
function serverOptions({ tlsCert, tlsKey }: Config): FastifyHttpOptions<Server> {
  const http = {
    // plugins/errors.ts asks for the Host header, and what is refused is counted.
    requireHostHeader: false,
    joinDuplicateHeaders: true,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    // Most requests have no body; the stream of an empty one costs as much as routing it.
    optimizeEmptyRequests: true,
  }
  if (tlsCert === '') return { http }
  const { cert, key } = readTlsPair(tlsCert, tlsKey)
  const https = { ...http, cert, key, handshakeTimeout: HEADERS_TIMEOUT_MS }
  // An HTTPS server is all that one of HTTP is; Fastify's types know them as strangers.
  return { https } as FastifyHttpOptions<Server>
}
