import { spawnSync } from 'node:child_process'
import { expect, type TestContext, test } from 'vitest'
import { exposition } from '../../scripts/exposition.ts'
import { buildApp } from '../helper.ts'
import { needs } from '../program.ts'

/** What promtool says, a line a complaint; it exits with 3 for those, and with 1 for what it can't parse. */
function check(context: TestContext, text: string): { status: number | null; complaints: string[] } {
  const { status, stdout, stderr } = spawnSync(needs('promtool', context), ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  return { status, complaints: `${stdout}${stderr}`.split('\n').filter((line) => line !== '') }
}

const ALWAYS = ['answer', 'connections', 'entropy', 'http', 'key', 'keys', 'nodejs', 'overload', 'process']

const URLS = ['/key/16', '/key/1024?count=10', '/key/0', '/key/%zz', '/nowhere', '/readyz', '/metrics']

async function byDefault(): Promise<string> {
  const app = await buildApp()
  for (const url of URLS) await app.inject(url)
  return (await app.inject('/metrics')).body
}

test.for([
  ['by default', byDefault, ALWAYS],
  [
    'with all there is',
    () => exposition(URLS),
    [...ALWAYS, 'api', 'auth', 'keyspace', 'rate', 'salt', 'tls', 'webhook'].sort(),
  ],
] as const)(
  'promtool parses the metrics %s and complains of no name that is ours to choose',
  async ([, metrics, kinds], context) => {
    const body = await metrics()
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
