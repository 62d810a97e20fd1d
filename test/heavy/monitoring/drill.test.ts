import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, onTestFinished, type TestContext, test, vi } from 'vitest'
import { quickAlertmanager, quickPrometheus, quickRules } from './examples.ts'
import { startAlertmanager, startKeyServer, startPrometheus } from './programs.ts'

/** The longest window of a rule here is a minute, which must pass before its alert ends. */
const SOON = { timeout: 120_000, interval: 200 }

interface Notice {
  readonly receiver: string
  readonly status: string
  readonly alert: string | undefined
  readonly annotations: Readonly<Record<string, string>>
}

interface Webhook {
  readonly alerts: readonly {
    readonly status: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }[]
}

/** Where Alertmanager's webhooks end, one path a receiver. */
async function receive(): Promise<{ origin: string; notices: Notice[] }> {
  const notices: Notice[] = []
  const server = createServer(async (request, response) => {
    const { alerts } = (await json(request)) as Webhook
    const receiver = String(request.url).slice(1)
    for (const { status, labels, annotations } of alerts) {
      notices.push({ receiver, status, alert: labels.alertname, annotations })
    }
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, notices }
}

/** A real server, scraped by Prometheus, whose alerts Alertmanager takes to the notices. */
async function watched(context: TestContext) {
  const { origin, notices } = await receive()
  const alertmanager = await startAlertmanager(context, quickAlertmanager(origin))
  const server = await startKeyServer()
  const config = quickPrometheus(
    new URL(server.origin).host,
    { pod: 'key-server-0' },
    {
      alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanager.origin).host] }] }] },
    },
  )
  const prometheus = await startPrometheus(context, config, { 'alerts.yaml': quickRules() })
  await vi.waitFor(async () => {
    const query = encodeURIComponent('count_over_time(up{job="key-server"}[1m]) > 2')
    const answer = await fetch(`${prometheus.origin}/api/v1/query?query=${query}`)
    expect(await answer.json()).toMatchObject({ data: { result: [{}] } })
  }, SOON)
  return { server, notices }
}

test('refused calls raise an alert that reaches a person and ends with them', {
  timeout: 300_000,
}, async (context) => {
  const { server, notices } = await watched(context)
  for (const path of ['/key/16', '/key/16', '/key/0', '/key/abc']) await fetch(`${server.origin}${path}`)
  const notice = { receiver: 'mail', alert: 'KeyServerClientErrors' }
  await vi.waitFor(
    () => expect(notices).toContainEqual(expect.objectContaining({ ...notice, status: 'firing' })),
    SOON,
  )
  expect(notices.find(({ alert }) => alert === notice.alert)?.annotations).toEqual({
    summary: expect.stringMatching(/^\d\d(\.\d+)?% of the key calls to default\/key-server are refused$/),
    description: expect.stringContaining('of the key calls of the last minute were answered with 4xx'),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC$/),
    runbook_url: 'docs/how-to/runbook/service.md#refused-calls',
  })
  await vi.waitFor(
    () => expect(notices).toContainEqual(expect.objectContaining({ ...notice, status: 'resolved' })),
    SOON,
  )
  expect(notices.filter(({ alert }) => alert !== notice.alert)).toEqual([])
})

test('a server that is gone raises alerts that reach the pager and end when it is back', {
  timeout: 300_000,
}, async (context) => {
  const { server, notices } = await watched(context)
  await server.stop()
  const told = (status: string) =>
    [
      ['machines', 'KeyServerDown'],
      ['pager', 'KeyServerDown'],
      ['machines', 'KeyServerPodDown'],
      ['chat-and-mail', 'KeyServerPodDown'],
    ].map(([receiver, alert]) => expect.objectContaining({ receiver, alert, status }))
  await vi.waitFor(() => expect(notices).toEqual(expect.arrayContaining(told('firing'))), SOON)
  await startKeyServer(new URL(server.origin).port)
  await vi.waitFor(() => expect(notices).toEqual(expect.arrayContaining(told('resolved'))), SOON)
  expect(notices.filter(({ alert }) => !/Down$/.test(String(alert)))).toEqual([])
})
