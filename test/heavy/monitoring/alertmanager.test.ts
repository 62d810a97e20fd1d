import { spawnSync } from 'node:child_process'
import { describe, expect, type TestContext, test, vi } from 'vitest'
import { PATIENCE } from '../../helper.ts'
import { needs } from '../../program.ts'
import { ALERTMANAGER, quickAlertmanager } from './examples.ts'
import { startAlertmanager } from './programs.ts'

function amtool(context: TestContext, ...args: string[]) {
  return spawnSync(needs('amtool', context), args, { encoding: 'utf8' })
}

test('amtool finds nothing to mend in the example', (context) => {
  const { status, stdout, stderr } = amtool(context, 'check-config', ALERTMANAGER)
  expect([status, stderr, stdout]).toEqual([0, '', expect.stringContaining('SUCCESS')])
})

test.for([
  ['critical', 'machines,pager'],
  ['high', 'machines,chat-and-mail'],
  ['medium', 'chat'],
  ['low', 'mail'],
])('%s alerts go to %s', ([severity = '', receivers = ''], context) => {
  const route = [
    'config',
    'routes',
    'test',
    `--config.file=${ALERTMANAGER}`,
    `--verify.receivers=${receivers}`,
  ]
  const labels = ['alertname=KeyServerCpu70Percent', 'namespace=keys', 'service=key-server']
  const { status, stdout } = amtool(context, ...route, `severity=${severity}`, ...labels)
  expect([status, stdout]).toEqual([0, `${receivers}\n`])
})

test('the check of a route can fail', (context) => {
  const route = ['config', 'routes', 'test', `--config.file=${ALERTMANAGER}`, '--verify.receivers=pager']
  expect(amtool(context, ...route, 'severity=low').status).toBe(1)
})

describe('of alerts that fire together', () => {
  const of = (alertname: string, severity: string, more: object) => ({
    labels: { alertname, severity, namespace: 'keys', service: 'key-server', ...more },
  })
  const alerts = [
    of('critical of a pod', 'critical', { pod: 'a', signal: 'cpu' }),
    of('low of that pod', 'low', { pod: 'a', signal: 'memory' }),
    of('low of another pod', 'low', { pod: 'b', signal: 'memory' }),
    of('high of the release', 'high', { signal: 'errors' }),
    of('medium of the same signal', 'medium', { signal: 'errors' }),
    of('medium of another signal', 'medium', { signal: 'latency' }),
    of('low of another release', 'low', { signal: 'errors', namespace: 'more-keys' }),
  ]

  test('those are told that no worse one of the same pod or signal covers', async (context) => {
    const { origin } = await startAlertmanager(context, quickAlertmanager('http://127.0.0.1:9'))
    const url = `${origin}/api/v2/alerts`
    const headers = { 'content-type': 'application/json' }
    const posted = await fetch(url, { method: 'POST', headers, body: JSON.stringify(alerts) })
    expect(posted.status).toBe(200)
    await vi.waitFor(async () => {
      const found = (await (await fetch(url)).json()) as {
        labels: { alertname: string }
        status: { state: string }
      }[]
      const states = Object.fromEntries(found.map(({ labels, status }) => [labels.alertname, status.state]))
      expect(states).toEqual({
        'critical of a pod': 'active',
        'low of that pod': 'suppressed',
        'low of another pod': 'active',
        'high of the release': 'active',
        'medium of the same signal': 'suppressed',
        'medium of another signal': 'active',
        'low of another release': 'active',
      })
    }, PATIENCE)
  })
})
