import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, type TestContext, test } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { loopbackCertificate } from '../certificate.ts'
import { buildApp, newFolder } from '../helper.ts'
import { needs } from '../program.ts'

/** What promtool says, a line a complaint; it exits with 3 for those, and with 1 for what it can't parse. */
function check(context: TestContext, exposition: string): { status: number | null; complaints: string[] } {
  const { status, stdout, stderr } = spawnSync(needs('promtool', context), ['check', 'metrics'], {
    input: exposition,
    encoding: 'utf8',
  })
  return { status, complaints: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') }
}

/** Settings that bring all metrics there are. */
async function everything(): Promise<Partial<Config>> {
  const folder = await newFolder()
  const { cert, key } = await loopbackCertificate()
  const [tlsCert, tlsKey] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  await Promise.all([writeFile(tlsCert, cert), writeFile(tlsKey, key)])
  return {
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
    tlsCert,
    tlsKey,
  }
}

const ALWAYS = ['answer', 'connections', 'entropy', 'http', 'key', 'keys', 'nodejs', 'overload', 'process']

test.for([
  ['by default', async () => ({}), ALWAYS],
  [
    'with all there is',
    everything,
    [...ALWAYS, 'api', 'auth', 'keyspace', 'rate', 'salt', 'tls', 'webhook'].sort(),
  ],
] as const)(
  'promtool parses the metrics %s and complains of no name that is ours to choose',
  async ([, overrides, kinds], context) => {
    const app = await buildApp(await overrides(), { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
    const urls = ['/key/16', '/key/1024?count=10', '/key/0', '/key/%zz', '/nowhere', '/readyz', '/metrics']
    for (const url of urls) await app.inject(url)
    const { body } = await app.inject('/metrics')
    const found = new Set([...body.matchAll(/^# TYPE ([a-z]+)/gm)].map(([, kind]) => kind))
    expect([...found].sort()).toEqual(kinds)
    const { status, complaints } = check(context, body)
    expect(status).toBe(3)
    expect(complaints.filter((line) => !/^(process|nodejs)_/.test(line))).toEqual([
      'http_status_codes counter metrics should have "_total" suffix',
    ])
  },
)

test('promtool refuses what is no exposition', (context) => {
  expect(check(context, 'http_status_codes{code="200" 1\n').status).toBe(1)
})
