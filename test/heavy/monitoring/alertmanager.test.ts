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
  const refused = (namespace: string) => of('KeyServerClientErrors', 'low', { namespace, signal: 'refusals' })
  const told = [
    of('critical of a pod', 'critical', { pod: 'a', signal: 'cpu' }),
    of('low of another pod', 'low', { pod: 'b', signal: 'memory' }),
    of('high of the release', 'high', { signal: 'errors' }),
    of('medium of another signal', 'medium', { signal: 'latency' }),
    of('low of another release', 'low', { signal: 'errors', namespace: 'more-keys' }),
    of('KeyServerCredentialsRefused', 'medium', { namespace: 'guessed', signal: 'credentials' }),
    of('KeyServerRateLimited', 'low', { namespace: 'limited', signal: 'rate-limit' }),
    refused('asked wrongly'),
  ]
  const covered = [
    of('low of a pod that has a critical one', 'low', { pod: 'a', signal: 'memory' }),
    of('medium of a signal that has a high one', 'medium', { signal: 'errors' }),
    refused('guessed'),
    refused('limited'),
  ]

  test('those are told that neither a worse one of their pod or signal covers nor their reason', async (context) => {
    const { origin } = await startAlertmanager(context, quickAlertmanager('http://127.0.0.1:9'))
    const url = `${origin}/api/v2/alerts`
    const headers = { 'content-type': 'application/json' }
    const posted = await fetch(url, { method: 'POST', headers, body: JSON.stringify([...told, ...covered]) })
    expect(posted.status).toBe(200)
    const named = (alerts: { labels: { alertname: string; namespace: string } }[]) =>
      alerts.map(({ labels: { alertname, namespace } }) => `${namespace}: ${alertname}`).sort()
    await vi.waitFor(async () => {
      const found = async (query: string) =>
        named((await (await fetch(`${url}?${query}`)).json()) as typeof told)
      expect(await found('inhibited=false')).toEqual(named(told))
      expect(await found('active=false')).toEqual(named(covered))
    }, PATIENCE)
  })
})
