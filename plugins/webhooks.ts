import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { systemClock } from '../src/clock.ts'
import { addressesIn, cidrsIn } from '../src/http/cidr.ts'
import { publicEvent } from '../src/http/rotation-report.ts'
import type { KeySpace } from '../src/key-space/key-space.ts'
import { pendingNotices } from '../src/key-space/notices.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'
import type { Config } from '../src/schemas/settings.ts'
import type { Notifier, Send } from '../src/webhooks/notifier.ts'
import { receiverId, urlsIn } from '../src/webhooks/receivers.ts'
import { secretsIn, signatureHeaders } from '../src/webhooks/signature.ts'

/** Tells the receivers of `-webhook-urls` what happens to the key space: nothing of it is loaded without any. */
export default fp<{ log: FastifyBaseLogger }>(
  async (app, { log }) => {
    const { config, dealer } = app
    const urls = urlsIn(config.webhookUrls ?? '')
    if (dealer === undefined || urls.length === 0) return
    if (urls.some((url) => url.startsWith('http:'))) {
      log.warn('A webhook has an http URL: who is on the way can read what it is told, but not change it')
    }
    const { Notifier } = await import('../src/webhooks/notifier.ts')
    const receivers = urls.map(receiverId)
    const send = await sender(config, new Map(urls.map((url) => [receiverId(url), url])))
    const notifier = new Notifier({ news: dealer.replica, receivers, send, clock: systemClock, log })
    app.addHook('onClose', () => notifier.close())
    watch(app, notifier, receivers)
  },
  { name: 'webhooks', fastify: '5.x', dependencies: ['key-space'] },
)

async function sender(config: Config, urls: ReadonlyMap<string, string>): Promise<Send> {
  const { deliver } = await import('../src/webhooks/delivery.ts')
  const secrets = secretsIn(`${config.webhookSecret}`)
  const allowed = addressesIn(cidrsIn(config.webhookAllowCidr))
  return (receiver, { id, event, at }, stop) => {
    const body = JSON.stringify(publicEvent(event))
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'key-server',
      ...signatureHeaders(id, Math.floor(at / 1000), body, secrets),
    }
    return deliver(`${urls.get(receiver)}`, headers, body, { allowed }, stop)
  }
}

function watch(
  { registry, dealer }: FastifyInstance,
  notifier: Notifier,
  receivers: readonly string[],
): void {
  const counter = (name: string, help: string, count: keyof Notifier['counts']) =>
    registerScraped(registry, 'counter', name, help, () => [{ value: notifier.counts[count] }])
  counter('webhook_notices_sent_total', 'Tries of this server that a receiver took', 'sent')
  counter('webhook_notices_failed_total', 'Tries of this server that no receiver took', 'failed')
  const gauge = (name: string, help: string, read: (space: KeySpace, id: string) => number) =>
    registerScraped(registry, 'gauge', name, help, () => {
      const space = dealer?.replica.space
      // Before the first read nothing is known: a 0 would look as if all had been told.
      if (space === undefined) return []
      return receivers.map((id, index) => ({ labels: { webhook: index + 1 }, value: read(space, id) }))
    })
  gauge(
    'webhook_notices_pending',
    'Of all servers: notices that a receiver is still to be told of',
    pendingNotices,
  )
  gauge(
    'webhook_notices_given_up',
    'Of all servers: notices given up after all tries, since the receiver is known',
    ({ targets }, id) => targets[id]?.givenUpCount ?? 0,
  )
  gauge(
    'webhook_disabled',
    'Of all servers: 1 for a receiver that has answered 410 and is told nothing more',
    ({ targets }, id) => (targets[id]?.disabled ? 1 : 0),
  )
}
