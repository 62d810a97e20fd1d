import type { fastifyRateLimit, RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { RedisLink } from '../src/access/redis-link.ts'
import { callerAddress } from '../src/http/caller-address.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'
import { TooManyRequests } from '../src/problems/problems.ts'
import { refusalLog } from '../src/request-log.ts'

/** How many addresses, or clients, one server counts at a time; those not seen for longest make room. */
const MOST_COUNTED = 20_000

/** @throws {Problem} when a call is one too many. */
type Limit = (request: FastifyRequest) => Promise<void>

declare module 'fastify' {
  interface FastifyInstance {
    /** How often one address, an IPv6 network of 64 bits among them, and one client may call; undefined for no limit. */
    readonly limits: { readonly byAddress: Limit | undefined; readonly byClient: Limit | undefined }
  }
}

type Plugin = typeof fastifyRateLimit
type Limiter = ReturnType<FastifyInstance['createRateLimit']>

/** Limits of how often one may call, in the memory of this server or in a Redis that several share. */
export default fp<{ log: FastifyBaseLogger }>(
  async (app, { log }) => {
    const { rateLimitAddress, rateLimitClient, rateLimitWindow, rateLimitStore: url } = app.config
    if (rateLimitAddress === 0 && rateLimitClient === 0) {
      app.decorate('limits', { byAddress: undefined, byClient: undefined })
      return
    }
    // Loaded only where it is asked for, as the client of Redis is.
    const { default: plugin, normalizeIP } = await import('@fastify/rate-limit')
    // Clients that are gone before their request is looked at have no address; they count as one.
    const addressOf = (request: FastifyRequest) => {
      const address = callerAddress(request)
      return address === undefined ? 'gone' : normalizeIP(address)
    }
    const link = url === undefined ? undefined : await RedisLink.open(url, log)
    const refused = { address: 0, client: 0 }
    const tell = refusalLog(log, 'a call was one too many')

    const limitBy = async (
      by: keyof typeof refused,
      max: number,
      keyGenerator: (request: FastifyRequest) => string,
    ): Promise<Limit | undefined> => {
      if (max === 0) return undefined
      const options = { max, timeWindow: rateLimitWindow * 1000, keyGenerator }
      const local = await newLimiter(app, plugin, { ...options, cache: MOST_COUNTED })
      const nameSpace = `key-server:limit:${by}:`
      const shared = link && (await newLimiter(app, plugin, { ...options, redis: link.redis, nameSpace }))
      return async (request) => {
        const seen = await (link && shared
          ? link.ask(
              () => shared(request),
              () => local(request),
            )
          : local(request))
        if (seen.isAllowed || !seen.isExceeded) return
        refused[by]++
        tell(request, { by })
        const headers = { 'retry-after': String(seen.ttlInSeconds) }
        throw Object.assign(new TooManyRequests(seen.ttlInSeconds), { headers })
      }
    }
    const limits = {
      byAddress: await limitBy('address', rateLimitAddress, addressOf),
      byClient: await limitBy('client', rateLimitClient, ({ client }) => client?.id ?? ''),
    }
    app.decorate('limits', limits)
    if (link !== undefined) app.addHook('onClose', async () => link.close())

    const { registry } = app
    const help = 'Calls refused with 429, by whose limit it was'
    registerScraped(registry, 'counter', 'rate_limit_refused_total', help, () =>
      Object.entries(refused).map(([by, value]) => ({ labels: { by }, value })),
    )
    if (link === undefined) return
    const away = '0 while the store of rate limits is away and each server limits by itself'
    registerScraped(registry, 'gauge', 'rate_limit_store_healthy', away, () => [
      { value: link.healthy ? 1 : 0 },
    ])
    const errors = 'Failures of the store of rate limits'
    registerScraped(registry, 'counter', 'rate_limit_store_errors_total', errors, () => [
      { value: link.errors },
    ])
  },
  { name: 'rate-limit', fastify: '5.x', dependencies: ['metrics'] },
)

/** A limiter of its own: in the same scope a second one would get the first one's store. */
async function newLimiter(
  app: FastifyInstance,
  plugin: Plugin,
  options: RateLimitPluginOptions,
): Promise<Limiter> {
  const { promise, resolve } = Promise.withResolvers<Limiter>()
  await app.register(async (scope) => {
    await scope.register(plugin, { global: false, ...options })
    resolve(scope.createRateLimit())
  })
  return promise
}
