import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { NotReady } from '../src/problems/problems.ts'

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
    // For requests that had begun to arrive before the drain; the listener below is for all that come later,
    // those among them that no hook sees.
    app.addHook('onSend', (_request, reply, payload, done) => {
      if (draining) reply.header('connection', 'close')
      done(null, payload)
    })
    app.decorate('health', {
      checks,
      drain() {
        draining = true
        closeAfterEachAnswer(app.server)
      },
    })

    for (const url of ['/livez', '/healthz']) app.get(url, () => 'ok\n')
    app.get('/readyz', () => {
      const reason = checks.map((check) => check()).find((found) => found !== undefined)
      if (reason !== undefined) throw new NotReady(reason)
      return 'ok\n'
    })
  },
  { name: 'health', fastify: '5.x' },
)

/**
 * From now on each answer ends its connection. What is pipelined behind such an answer could not be sent any
 * more, so it is not looked at: no key is made for it and nothing is counted (RFC 9112, section 9.6).
 */
function closeAfterEachAnswer(server: Server): void {
  const ending = new WeakSet<Socket>()
  const handlers = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    if (ending.has(request.socket)) return
    ending.add(request.socket)
    response.setHeader('connection', 'close')
    for (const handle of handlers) handle.call(server, request, response)
  })
}
