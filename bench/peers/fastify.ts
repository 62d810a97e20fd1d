import { parseArgs } from 'node:util'
import Fastify from 'fastify'

// The least that Fastify can do with Node's server set as this one's: a route, no check, no count, the same digits each time.
const { values } = parseArgs({
  options: {
    'max-size': { type: 'string', default: '1024' },
    'srv-port': { type: 'string', default: '1123' },
  },
})
const body = 'c0ffee00'.repeat(8)
const headers = ['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(body.length)]
const app = Fastify({ http: { optimizeEmptyRequests: true } })
app.get('/key/:length', (_request, reply) => {
  reply.raw.removeHeader('connection')
  reply.raw.writeHead(200, headers)
  reply.raw.end(body, 'latin1')
})
await app.listen({ port: Number(values['srv-port']), host: '127.0.0.1' })
