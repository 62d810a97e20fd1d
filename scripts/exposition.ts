import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import type { Config } from '../src/schemas/settings.ts'
import { readSettings } from '../src/settings/settings.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { loopbackCertificate } from '../test/certificate.ts'

/** Settings that bring all metrics there are; each has something to count on its own. */
const EVERYTHING: Partial<Config> = {
  unique: true,
  rotateEvery: 30,
  webhookUrls: 'https://receiver.invalid',
  webhookSecret: `whsec_${Buffer.alloc(32).toString('base64')}`,
  saltFrom: 'key-id,header:x-user-id,ip',
  apiKeysFile: 'keys.json',
  rateLimitAddress: 1000,
  rateLimitClient: 1000,
  // Nothing answers there.
  rateLimitStore: 'redis://127.0.0.1:9',
}

/** What `/metrics` of a server with every setting answers, after these calls. */
export async function exposition(urls: readonly string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'key-server-metrics-'))
  try {
    const { cert, key } = await loopbackCertificate()
    const [tlsCert, tlsKey] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    await Promise.all([writeFile(tlsCert, cert), writeFile(tlsKey, key)])
    const settings = { ...readSettings({ args: [], env: {}, folder }), ...EVERYTHING, tlsCert, tlsKey }
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
