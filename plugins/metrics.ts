import fp from 'fastify-plugin'
import * as client from 'prom-client'
import { handlerOf } from '../src/http/key-path.ts'
import { Counters } from '../src/metrics/counters.ts'

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

/** Counts every answer. */
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
  },
  { name: 'metrics', fastify: '5.x', dependencies: ['config'] },
)
