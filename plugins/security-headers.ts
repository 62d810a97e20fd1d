import fp from 'fastify-plugin'

/** Keeps what this server answers from being taken for something else, or from being kept by a cache. */
export default fp(
  async (app) => {
    app.addHook('onSend', (_request, reply, payload, done) => {
      reply.header('x-content-type-options', 'nosniff')
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
      done(null, payload)
    })
  },
  { name: 'security-headers', fastify: '5.x' },
)
