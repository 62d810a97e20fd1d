import fp from 'fastify-plugin'
import { NotReady } from '../src/problems.ts'

/** Says why the app is not ready, or undefined when that check does not hold it back. */
type ReadinessCheck = () => string | undefined

/** What `/readyz` judges by. */
interface Health {
  /** Asked at every probe, so they must be quick. */
  readonly checks: ReadinessCheck[]
  /** Unready from now on, and each answer ends its connection, so that what comes next goes elsewhere. */
  drain(): void
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly health: Health
  }
}

/** Liveness, which depends on nothing outside the process, and readiness. */
export default fp(
  async (app) => {
    let draining = false
    const checks: ReadinessCheck[] = [() => (draining ? 'shutting down' : undefined)]
    app.decorate('health', {
      checks,
      drain() {
        draining = true
        app.server.prependListener('request', (_request, response) => {
          response.setHeader('connection', 'close')
        })
      },
    })

    for (const url of ['/livez', '/healthz']) app.get(url, async () => 'ok\n')
    app.get('/readyz', async () => {
      const reason = checks.map((check) => check()).find((found) => found !== undefined)
      if (reason !== undefined) throw new NotReady(reason)
      return 'ok\n'
    })
  },
  { name: 'health', fastify: '5.x' },
)
