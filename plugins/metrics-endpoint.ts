import type { FastifyInstance } from 'fastify'
import fastifyMetrics from 'fastify-metrics'
import * as client from 'prom-client'
import { registerProcessMetrics } from '../src/metrics/process-metrics.ts'

/** `GET /metrics`, for who may call where it is registered. */
export default async function metricsEndpoint(app: FastifyInstance): Promise<void> {
  const { registry } = app
  const collectDefaultMetrics = Object.assign(() => registerProcessMetrics(registry), { metricsList: [] })
  await app.register(fastifyMetrics.default, {
    // The plugin's own route has no HEAD.
    endpoint: { method: 'GET', url: '/metrics', handler: async () => undefined },
    name: 'fastifyMetrics',
    promClient: { ...client, register: registry, collectDefaultMetrics },
    routeMetrics: { enabled: false },
  })
}
