import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from '../src/clock.ts'
import type { KeySpace, Totals } from '../src/key-space/key-space.ts'
import { Seal } from '../src/key-space/seal.ts'
import type { Dealer } from '../src/keys/dealer.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'
import type { Config } from '../src/schemas/settings.ts'
import { keySpaceSecrets } from '../src/settings/key-space-secrets.ts'
import { uniqueLengths } from '../src/settings/unique-lengths.ts'
import { openStore } from '../src/stores/open.ts'
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
    const { config } = app
    const { rotateEvery } = config
    const { Dealer } = await import('../src/keys/dealer.ts')
    const opened = store ?? (await openStore(config.store))
    const seal = store === undefined ? await sealOf(config, opened, log) : sealFor(config)
    const dealer = await Dealer.start({ store: opened, seal, log, clock: systemClock, rotateEvery })
    app.decorate('dealer', dealer)
    app.addHook('onClose', () => dealer.close())
    watch(app, dealer)
  },
  { name: 'key-space', fastify: '5.x', dependencies: ['metrics'] },
)

async function sealOf(config: Config, store: Store, log: FastifyBaseLogger): Promise<Seal> {
  const { secrets, made } = await keySpaceSecrets(config, store)
  if (made) {
    log.warn(
      "No KEYSPACE_SECRET was given: one was made beside the store's file, its name with .secret added. Keep it with the store, and away from its backups",
    )
  }
  return new Seal(secrets)
}

/** For a store that is handed in, which no file has a secret beside. */
function sealFor({ keyspaceSecret = randomBytes(32).toString('base64') }: Config): Seal {
  return new Seal([keyspaceSecret])
}

function watch({ config, registry }: FastifyInstance, dealer: Dealer): void {
  const lengths = uniqueLengths(config)
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
    'Of all servers: unique keys used up in this period, by leases that were ended',
    byLength('used'),
  )
  registerScraped(
    registry,
    gauge,
    'keyspace_left_keys',
    'Of all servers: unique keys leased to nobody',
    byLength('left'),
  )
  registerScraped(
    registry,
    gauge,
    'keyspace_lost_keys',
    'Of all servers: unique keys that nobody will get in this period',
    byLength('lost'),
  )
  registerScraped(
    registry,
    gauge,
    'keyspace_fenced',
    'Of all servers: 1 while unique keys wait for a rotation',
    () => [{ value: dealer.fenced ? 1 : 0 }],
  )
  const seconds = (name: string, help: string, read: (period: KeySpace['period']) => number | undefined) =>
    registerScraped(registry, gauge, name, help, () => {
      const { space } = dealer.replica
      const time = space && read(space.period)
      return time === undefined ? [] : [{ value: time / 1000 }]
    })
  registerScraped(
    registry,
    gauge,
    'keyspace_period',
    "The number of the period that this server deals unique keys from, 0 while it can't",
    () => [{ value: dealer.period }],
  )
  seconds(
    'keyspace_period_start_timestamp_seconds',
    "Of all servers: when the period of unique keys began, by the store's clock",
    ({ startedAt }) => startedAt,
  )
  seconds(
    'keyspace_period_end_timestamp_seconds',
    'Of all servers: when that period ends, where a policy says so',
    ({ ends }) => ends?.at,
  )
  const counter = (name: string, help: string, count: keyof Dealer['counts']) =>
    registerScraped(registry, 'counter', name, help, () => [{ value: dealer.counts[count] }])
  counter('keyspace_leases_total', 'Leases of unique keys that this server took', 'leases')
  counter(
    'keyspace_swap_conflicts_total',
    'Changes of the key space that another server was faster with',
    'conflicts',
  )
  counter('keyspace_store_errors_total', 'Operations of the store of unique keys that failed', 'errors')
}
