import { spawnSync } from 'node:child_process'
import { expect, type TestContext, test } from 'vitest'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp } from '../helper.ts'
import { needs } from '../program.ts'

/** What promtool says, a line a complaint; it exits with 3 for those, and with 1 for what it can't parse. */
function check(context: TestContext, exposition: string): { status: number | null; complaints: string[] } {
  const { status, stdout, stderr } = spawnSync(needs('promtool', context), ['check', 'metrics'], {
    input: exposition,
    encoding: 'utf8',
  })
  return { status, complaints: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') }
}

const everything = {
  unique: true,
  rotateEvery: 30,
  webhookUrls: 'https://receiver.invalid',
  webhookSecret: `whsec_${Buffer.alloc(32).toString('base64')}`,
  saltFrom: 'key-id,header:x-user-id,ip',
}

test.for([
  ['by default', {}],
  ['with all there is', everything],
] as const)(
  'promtool parses the metrics %s and complains of no name that is ours to choose',
  async ([, overrides], context) => {
    const app = await buildApp(overrides, { store: new MemoryStore() })
    const urls = ['/key/16', '/key/1024?count=10', '/key/0', '/key/%zz', '/nowhere', '/readyz', '/metrics']
    for (const url of urls) await app.inject(url)
    const { status, complaints } = check(context, (await app.inject('/metrics')).body)
    expect(status).toBe(3)
    expect(complaints.filter((line) => !/^(process|nodejs)_/.test(line))).toEqual([
      'http_status_codes counter metrics should have "_total" suffix',
    ])
  },
)

test('promtool refuses what is no exposition', (context) => {
  expect(check(context, 'http_status_codes{code="200" 1\n').status).toBe(1)
})
