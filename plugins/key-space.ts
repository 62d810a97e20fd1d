import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from '../src/keys/clock.ts'
import type { Dealer } from '../src/keys/dealer.ts'
import type { Totals } from '../src/keys/key-space.ts'
import { Seal } from '../src/keys/seal.ts'
import { type Config, RECOMMENDED_SIZE } from '../src/schemas/settings.ts'
import { registerScraped } from '../src/scraped-metrics.ts'
import { readLocation } from '../src/stores/location.ts'
import { openStore } from '../src/stores/open.ts'
import { secretBeside } from '../src/stores/secret.ts'
import type { Store } from '../src/stores/store.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Deals the keys of fewer than 16 bytes; undefined unless they are to be unique. */
    readonly dealer: Dealer | undefined
  }
}

interface Parts {
  readonly log: FastifyBaseLogger
  /** For tests and the self-test; what the settings name if left out. */
  readonly store?: Store | undefined
}

/** Unique keys, with `-unique`: nothing of it is loaded without. */
export default fp<Parts>(
  async (app, { log, store }) => {
    if (!app.config.unique) {
      app.decorate('dealer', undefined)
      return
    }
    const { Dealer } = await import('../src/keys/dealer.ts')
    const opened = store ?? (await openStore(app.config.store))
    const seal = new Seal(await secretsOf(app.config, opened, store !== undefined, log))
    const dealer = await Dealer.start({ store: opened, seal, log, clock: systemClock })
    app.decorate('dealer', dealer)
    app.addHook('onClose', () => dealer.close())
    watch(app, dealer)
  },
  { name: 'key-space', fastify: '5.x', dependencies: ['metrics'] },
)

async function secretsOf(
  { store: setting, keyspaceSecret, keyspaceOldSecret }: Config,
  store: Store,
  passing: boolean,
  log: FastifyBaseLogger,
): Promise<[string, ...string[]]> {
  if (keyspaceSecret !== undefined) {
    return keyspaceOldSecret === undefined ? [keyspaceSecret] : [keyspaceSecret, keyspaceOldSecret]
  }
  const location = readLocation(setting)
  if (passing || typeof location === 'string' || location.kind !== 'file') {
    return [randomBytes(32).toString('base64')]
  }
  const { state } = await store.read()
  const { secret, made } = await secretBeside(location.path, state === undefined)
  if (made) {
    log.warn(
      `No KEYSPACE_SECRET was given: one was made in ${location.path}.secret. Keep it with the store, and away from its backups`,
    )
  }
  return [secret]
}

function watch({ config, registry }: FastifyInstance, dealer: Dealer): void {
  const { minSize, maxSize } = config
  const lengths = Array.from({ length: RECOMMENDED_SIZE - 1 }, (_, index) => index + 1).filter(
    (length) => length >= minSize && length <= maxSize,
  )
  const byLength = (fate: keyof Totals) => () =>
    lengths.flatMap((length) => {
      const value = dealer.totals(length)?.[fate]
      return value === undefined ? [] : [{ labels: { length }, value }]
    })
  const gauge = 'gauge'
  registerScraped(
    registry,
    gauge,
    'keyspace_used_keys',
    'Unique keys used up in this period, by length',
    byLength('used'),
  )
  registerScraped(
    registry,
    gauge,
    'keyspace_left_keys',
    'Unique keys that no server has leased yet, by length',
    byLength('left'),
  )
  registerScraped(
    registry,
    gauge,
    'keyspace_lost_keys',
    'Unique keys that nobody will get in this period, by length',
    byLength('lost'),
  )
  registerScraped(registry, gauge, 'keyspace_fenced', '1 while unique keys wait for a rotation', () => [
    { value: dealer.fenced ? 1 : 0 },
  ])
  const counter = (name: string, help: string, count: keyof Dealer['counts']) =>
    registerScraped(registry, 'counter', name, help, () => [{ value: dealer.counts[count] }])
  counter('keyspace_leases_total', 'Leases of unique keys taken', 'leases')
  counter(
    'keyspace_swap_conflicts_total',
    'Changes of the key space that another server was faster with',
    'conflicts',
  )
  counter('keyspace_store_errors_total', 'Operations of the store of unique keys that failed', 'errors')
}
