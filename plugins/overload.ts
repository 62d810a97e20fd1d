import type { ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'
import { Overloaded } from '../src/problems/problems.ts'

/** Answers of fewer bytes fit into the buffers that a connection has anyway. */
const SMALL_ANSWER = 16_384

/** How long a client may take to read a large answer. */
const READ_MS = 60_000

/** How often the event loop is looked at. */
const LAG_SAMPLE_MS = 100

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Counts `bytes` of an answer that is about to be made among those in flight, until it is sent or given up.
     * @throws {Problem} where they are too many.
     */
    readonly holdAnswer: (response: ServerResponse, bytes: number) => void
  }
}

/** Sheds the calls beside it that this server has no room for, so that it serves the others. */
export default fp(
  async (app) => {
    const { maxInFlight, maxLag, maxAnswerBytes } = app.config
    const shed = { lag: 0, in_flight: 0, answer_bytes: 0 }
    const refuse = (reason: keyof typeof shed) => {
      shed[reason]++
      return new Overloaded()
    }

    let bytesInFlight = 0
    app.decorate('holdAnswer', (response, bytes) => {
      if (maxAnswerBytes === 0 || bytes < SMALL_ANSWER) return
      // An answer that is larger than all there is room for still goes out, alone.
      if (bytesInFlight > 0 && bytesInFlight + bytes > maxAnswerBytes) throw refuse('answer_bytes')
      bytesInFlight += bytes
      const deadline = setTimeout(() => response.destroy(), READ_MS).unref()
      whenOver(response, () => {
        clearTimeout(deadline)
        bytesInFlight -= bytes
      })
    })

    if (maxLag > 0) {
      const lag = watchLag(app)
      app.addHook('onRequest', (_request, _reply, done) => {
        done(lag() > maxLag ? refuse('lag') : undefined)
      })
    }

    let inFlight = 0
    if (maxInFlight > 0) {
      // Only now has a request arrived whole, and its client been let in: those who dawdle take nobody's place.
      app.addHook('preHandler', (_request, reply, done) => {
        if (inFlight >= maxInFlight) return done(refuse('in_flight'))
        inFlight++
        whenOver(reply.raw, () => inFlight--)
        done()
      })
    }

    const { registry } = app
    const help = 'Key calls refused with 503 because the server was too busy'
    registerScraped(registry, 'counter', 'overload_shed_total', help, () =>
      Object.entries(shed).map(([reason, value]) => ({ labels: { reason }, value })),
    )
    const bytes = 'Bytes of large answers that are being sent'
    registerScraped(registry, 'gauge', 'answer_bytes_in_flight', bytes, () => [{ value: bytesInFlight }])
  },
  { name: 'overload', fastify: '5.x', dependencies: ['metrics'] },
)

/** Calls back when a response is sent or given up: at once where its client has gone already, which is told only once. */
function whenOver(response: ServerResponse, over: () => void): void {
  if (response.closed) over()
  else response.once('close', over)
}

/** By how many milliseconds the event loop was late the last time it was looked at. */
function watchLag(app: FastifyInstance): () => number {
  let lag = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    lag = now - last - LAG_SAMPLE_MS
    last = now
  }, LAG_SAMPLE_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))
  return () => lag
}
