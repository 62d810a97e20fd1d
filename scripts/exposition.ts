import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import type { Config } from '../src/schemas/settings.ts'
import { readSettings } from '../src/settings/settings.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { loopbackCertificate } from '../test/certificate.ts'

/** Settings that bring metrics of their own, each with something to count. */
export const bringers: Readonly<Record<string, Partial<Config>>> = {
  '-unique': { unique: true, rotateEvery: 30 },
  '-webhook-urls': {
    unique: true,
    webhookUrls: 'https://receiver.invalid',
    webhookSecret: `whsec_${Buffer.alloc(32).toString('base64')}`,
  },
  '-salt-from': { saltFrom: 'header:x-user-id,ip' },
  '-api-keys-file': { apiKeysFile: 'keys.json' },
  '-rate-limit-…': { rateLimitAddress: 1000 },
  // Nothing answers there.
  '-rate-limit-store': { rateLimitAddress: 1000, rateLimitStore: 'redis://127.0.0.1:9' },
  '-tls-cert': { tlsCert: 'tls.crt', tlsKey: 'tls.key' },
}

/** What `/metrics` of a server with these settings answers, by default with all that bring metrics. */
export async function exposition(
  urls: readonly string[] = [],
  more: Partial<Config> = Object.assign({}, ...Object.values(bringers)),
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'key-server-metrics-'))
  try {
    const { cert, key } = await loopbackCertificate()
    await Promise.all([writeFile(join(folder, 'tls.crt'), cert), writeFile(join(folder, 'tls.key'), key)])
    const within = (file = '') => file && join(folder, file)
    const files = { tlsCert: within(more.tlsCert), tlsKey: within(more.tlsKey) }
    const settings = { ...readSettings({ args: [], env: {}, folder }), ...more, ...files }
    const parts = { log: pino({ level: 'silent' }), store: new MemoryStore(), apiKeys: '{"keys":[]}' }
    const app = await createApp(settings, parts)
    for (const url of urls) await app.inject(url)
    const { body } = await app.inject('/metrics')
    await app.close()
    return body
  } finally {
    await rm(folder, { recursive: true })
  }
}
