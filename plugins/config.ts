import env from '@fastify/env'
import fp from 'fastify-plugin'
import { type Config, Settings } from '../src/schemas/settings.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly config: Config
  }
}

/** Decorates the app with its settings, held against their schema once more. */
export default fp<{ config: Config }>(
  async (app, { config }) => {
    await app.register(env, {
      schema: Settings,
      data: config,
      env: false,
      dotenv: false,
      ajv: { customOptions: (ajv) => ajv.addKeyword('secret') },
    })
  },
  { name: 'config', fastify: '5.x' },
)
