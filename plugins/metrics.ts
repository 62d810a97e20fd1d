import fastifyMetrics from 'fastify-metrics'
import fp from 'fastify-plugin'
import * as client from 'prom-client'
import { Counters } from '../src/counters.ts'
import { handlerOf } from '../src/key-path.ts'
import { registerProcessMetrics } from '../src/process-metrics.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly counters: Counters
    /** The app's own registry, for metrics of other plugins. */
    readonly registry: client.Registry
  }
  interface FastifyRequest {
    /** When its header was parsed: milliseconds of `performance.now()`. */
    startedAt: number
  }
}

/** Counts every answer and serves `GET /metrics`. */
export default fp(
  async (app) => {
    const registry = new client.Registry()
    const counters = new Counters(registry, app.config.maxSize)
    app.decorate('registry', registry)
    app.decorate('counters', counters)
    app.decorateRequest('startedAt', 0)
    app.addHook('onRequest', (request, _reply, done) => {
      request.startedAt = performance.now()
      done()
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      counters.answered(handlerOf(request), reply.statusCode, request.startedAt)
      done(null, payload)
    })
    const collectDefaultMetrics = Object.assign(() => registerProcessMetrics(registry), { metricsList: [] })
    await app.register(fastifyMetrics.default, {
      // The plugin's own route has no HEAD.
      endpoint: { method: 'GET', url: '/metrics', handler: async () => undefined },
      name: 'fastifyMetrics',
      promClient: { ...client, register: registry, collectDefaultMetrics },
      routeMetrics: { enabled: false },
    })
  },
  { name: 'metrics', fastify: '5.x', dependencies: ['config'] },
)
