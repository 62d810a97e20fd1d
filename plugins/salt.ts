import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { KeyFacts, KeySource } from '../src/http/key-answer.ts'
import { saltFieldsIn } from '../src/http/salt-fields.ts'
import type { Entropy } from '../src/keys/entropy.ts'
import { MOST_SALTED_BITS, SaltedEntropy } from '../src/keys/salt.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'

/** Binds random keys to who asks for them. */
interface Salt {
  /** Where the keys of a caller come from. @throws {RepeatedHeader} */
  source(request: FastifyRequest, entropy: Entropy): KeySource
  /** What would be said of them. @throws {RepeatedHeader} */
  facts(request: FastifyRequest): KeyFacts
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined without `-salt-from`. */
    readonly salt: Salt | undefined
  }
}

/** Salt, with `-salt-from`. */
export default fp(
  async (app) => {
    const fields = saltFieldsIn(app.config.saltFrom).filter((field) => field !== undefined)
    if (fields.length === 0) {
      app.decorate('salt', undefined)
      return
    }
    const missing = fields.map(() => 0)
    const valuesOf = (request: FastifyRequest) => fields.map(({ read }) => read(request))
    app.decorate('salt', {
      facts(request) {
        valuesOf(request)
        return { mostEntropyBits: MOST_SALTED_BITS }
      },
      source(request, entropy) {
        const values = valuesOf(request)
        for (const [index, value] of values.entries()) {
          if (value === '') missing[index] = (missing[index] ?? 0) + 1
        }
        return new SaltedEntropy(
          entropy,
          values.map((value) => Buffer.from(value, 'latin1')),
        )
      },
    })
    registerScraped(
      app.registry,
      'counter',
      'salt_fields_missing_total',
      'Key calls without a field that -salt-from names, which is empty then',
      () => fields.map(({ name }, index) => ({ labels: { field: name }, value: missing[index] ?? 0 })),
    )
  },
  { name: 'salt', fastify: '5.x', dependencies: ['metrics'] },
)
