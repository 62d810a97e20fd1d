import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'

/** `GET /openapi.json`: the routes that are registered from here on, described when somebody asks for the first time. */
export default fp(
  async (app) => {
    const routes: RouteOptions[] = []
    app.addHook('onRoute', (route) => void routes.push(route))
    let description: string | undefined
    app.get('/openapi.json', async (_request, reply) => {
      if (description === undefined) {
        // Loaded here, so that a server that nobody asks has no part of it in memory.
        const { describeApi } = await import('../src/api/description.ts')
        description = await describeApi(routes, app.config)
      }
      return reply.type('application/json; charset=utf-8').send(description)
    })
  },
  { name: 'api-description', fastify: '5.x', dependencies: ['config'] },
)
