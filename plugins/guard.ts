import fp from 'fastify-plugin'
import type { Scope } from '../src/access/api-keys.ts'

/** Lets through to the routes beside it only who may call them. */
export default fp<{ scope: Scope }>(
  async (app, { scope }) => {
    if (app.auth !== undefined) app.addHook('onRequest', app.auth.require(scope))
  },
  { name: 'guard', fastify: '5.x', dependencies: ['auth'] },
)
