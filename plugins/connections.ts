import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'

/** How many connections there may be, and how many requests on one. */
export default fp(
  async (app) => {
    const { maxConnections, maxRequestsPerSocket } = app.config
    let dropped = 0
    // One timer a connection, Fastify's connectionTimeout, is moved on as bytes move, while an answer is read too; Node's own
    // for keep-alive, which would be made anew for each request, is not needed besides.
    app.server.keepAliveTimeout = 0
    if (maxConnections > 0) app.server.maxConnections = maxConnections
    app.server.on('drop', () => dropped++)
    const help = 'Connections closed at once because there were -max-connections of them'
    registerScraped(app.registry, 'counter', 'connections_dropped_total', help, () => [{ value: dropped }])

    if (maxRequestsPerSocket === 0) return
    // Node would say so itself in a header that plugins/key-generation.ts leaves out.
    app.addHook('onRequest', (_request, { raw }: { raw: ServerResponse & LastAnswer }, done) => {
      if (raw.maxRequestsOnConnectionReached) raw.setHeader('connection', 'close')
      done()
    })
    app.server.on('dropRequest', () => app.counters.answered('other', 503))
  },
  { name: 'connections', fastify: '5.x', dependencies: ['metrics'] },
)

/** Only Node counts every request of a connection, those that no hook sees among them. */
interface LastAnswer {
  readonly maxRequestsOnConnectionReached?: boolean
}
