import fp from 'fastify-plugin'
import type { Scope } from '../src/access/api-keys.ts'

/**
 * Lets through to the routes beside it only who may call them: by address first, so that nobody can guess
 * credentials without end, then who has one, then as often as that client may. `public` asks for no credential.
 */
export default fp<{ scope: Scope | 'public' }>(
  async (app, { scope }) => {
    const { byAddress, byClient } = app.limits
    if (byAddress !== undefined) app.addHook('onRequest', byAddress)
    if (scope === 'public') return
    if (app.auth !== undefined) app.addHook('onRequest', app.auth.require(scope))
    if (byClient !== undefined) app.addHook('onRequest', byClient)
  },
  { name: 'guard', fastify: '5.x', dependencies: ['auth', 'rate-limit'] },
)
