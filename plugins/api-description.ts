import type { RouteOptions } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the routes that are registered from here on do, in OpenAPI: JSON that is made when somebody asks for the first time. */
    readonly describeApi: () => Promise<Buffer>
  }
}

/** Sees the routes that are to be described. */
export default fp(
  async (app) => {
    const routes: RouteOptions[] = []
    app.addHook('onRoute', (route) => void routes.push(route))
    let description: Buffer | undefined
    app.decorate('describeApi', async () => {
      if (description === undefined) {
        // Loaded here, so that a server that nobody asks has no part of it in memory.
        const { describeApi } = await import('../src/api/description.ts')
        description = Buffer.from(await describeApi(routes, app.config))
      }
      return description
    })
  },
  { name: 'api-description', fastify: '5.x', dependencies: ['config'] },
)
