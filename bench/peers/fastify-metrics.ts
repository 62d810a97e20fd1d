import { randomFillSync } from 'node:crypto'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import fastifyMetrics from 'fastify-metrics'

// Fastify as its guide has it: a schema for the length, fastify-metrics with its defaults.
const { values } = parseArgs({
  options: {
    'max-size': { type: 'string', default: '1024' },
    'srv-port': { type: 'string', default: '1123' },
  },
})
const app = Fastify()
await app.register(fastifyMetrics.default, { endpoint: '/metrics' })
app.get<{ Params: { length: number } }>(
  '/key/:length',
  {
    schema: {
      params: {
        type: 'object',
        properties: { length: { type: 'integer', minimum: 1, maximum: Number(values['max-size']) } },
      },
    },
  },
  async ({ params }) => randomFillSync(Buffer.allocUnsafe(params.length)).toString('hex'),
)
await app.listen({ port: Number(values['srv-port']), host: '127.0.0.1' })
