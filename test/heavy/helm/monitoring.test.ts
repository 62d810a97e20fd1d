import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, type TestContext, test } from 'vitest'
import { alertsOf, type RuleFile, readRules } from '../../../scripts/alert-rules.ts'
import { needs } from '../../program.ts'
import { CHART, one, render, template } from './chart.ts'

function ruleOf(context: TestContext, values: object) {
  return one(render(context, { prometheusRule: { enabled: true }, ...values }), 'PrometheusRule')
}

function alert(context: TestContext, name: string, change: object) {
  const { spec } = ruleOf(context, { alerts: { [name]: change } })
  return alertsOf(spec as unknown as RuleFile).find(({ alert }) => alert === name)
}

test('neither rules nor a dashboard come unasked', (context) => {
  const kinds = render(context).map(({ kind }) => kind)
  expect(kinds).not.toContain('PrometheusRule')
  expect(kinds).not.toContain('ConfigMap')
})

describe('the PrometheusRule', () => {
  test('has the rules of the plain file, which promtool accepts, and the labels that are asked for', (context) => {
    const { metadata, spec } = ruleOf(context, {
      prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
    })
    expect(spec).toEqual(readRules())
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'key-server', release: 'prometheus' })
    const folder = mkdtempSync(join(tmpdir(), 'key-server-rules-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(spec))
    const args = ['check', 'rules', join(folder, 'rules.yaml')]
    expect(spawnSync(needs('promtool', context), args).status).toBe(0)
  })

  test.for([
    ['expr', 'up == 2'],
    ['for', '1h30m'],
  ])('takes another %s for one alert', ([field = '', value], context) => {
    const before = alertsOf(readRules()).find(({ alert }) => alert === 'KeyServerJitter')
    expect(alert(context, 'KeyServerJitter', { [field]: value })).toEqual({ ...before, [field]: value })
  })

  test('takes another severity for one alert', (context) => {
    const before = alertsOf(readRules()).find(({ alert }) => alert === 'KeyServerJitter')
    const labels = { ...before?.labels, severity: 'high' }
    expect(alert(context, 'KeyServerJitter', { severity: 'high' })).toEqual({ ...before, labels })
  })

  test('leaves out an alert that is not enabled, and a group of none', (context) => {
    const { spec } = ruleOf(context, {
      alerts: {
        HighErrorRate: { enabled: false },
        KeyServerJitter: { enabled: false },
        KeyServerDown: { enabled: true },
      },
    })
    const { groups } = spec as unknown as RuleFile
    expect(groups.map(({ name }) => name)).not.toContain('KeyServerAlerts')
    const left = alertsOf({ groups }).map(({ alert }) => alert)
    const all = alertsOf(readRules()).map(({ alert }) => alert)
    expect(left).toEqual(all.filter((name) => name !== 'HighErrorRate' && name !== 'KeyServerJitter'))
  })

  test('links to the runbook where the repository can be read', (context) => {
    const runbookUrl = 'https://git.example/key-server'
    const { spec } = ruleOf(context, { prometheusRule: { enabled: true, runbookUrl } })
    const links = alertsOf(spec as unknown as RuleFile).map(({ annotations }) => annotations.runbook_url)
    const plain = alertsOf(readRules()).map(({ annotations }) => annotations.runbook_url)
    expect(links).toEqual(plain.map((link) => `${runbookUrl}/${link}`))
  })

  test('a name that no alert has is refused even where no rules are asked for', (context) => {
    const { status, stderr } = template(context, { alerts: { KeyServerOdd: { enabled: false } } })
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('alerts.KeyServerOdd: there is no such alert'),
    ])
  })

  test.for([
    [
      'a name that no alert has',
      { KeyServerOdd: { enabled: false } },
      /alerts\.KeyServerOdd: there is no such alert/,
    ],
    ['an unknown severity', { KeyServerJitter: { severity: 'page' } }, /severity.*must be one of/],
    ['a time that is none', { KeyServerJitter: { for: '5' } }, /for.*pattern/],
    ['no time', { KeyServerJitter: { for: '' } }, /for.*minLength/],
    ['a time in the wrong order', { KeyServerJitter: { for: '1m1h' } }, /for.*pattern/],
    ['an empty expression', { KeyServerJitter: { expr: '' } }, /expr.*minLength/],
    ['an unknown field', { KeyServerJitter: { forr: '5m' } }, /'forr' not allowed/],
  ] as const)('is refused with %s', ([, alerts, says], context) => {
    const { status, stderr } = template(context, { prometheusRule: { enabled: true }, alerts })
    expect([status, stderr.replaceAll('\n', ' ')]).toEqual([1, expect.stringMatching(says)])
  })
})

test('the dashboard is a ConfigMap that Grafana’s sidecar finds by its label', (context) => {
  const dashboard = { enabled: true, labels: { shelf: 'keys' } }
  const map = one(render(context, { dashboard }), 'ConfigMap') as unknown as {
    metadata: { labels: object }
    data: Record<string, string>
  }
  expect(map.metadata.labels).toMatchObject({ grafana_dashboard: '1', shelf: 'keys' })
  expect(map.data['key-server.json']).toBe(readFileSync(join(CHART, 'dashboard.json'), 'utf8'))
})
