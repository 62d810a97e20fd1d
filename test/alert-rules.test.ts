import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { alertsOf, RULES, readRules } from '../scripts/alert-rules.ts'
import { anchorOf } from './documents.ts'

const rules = readRules()
const alerts = alertsOf(rules)
const own = alerts.filter(({ alert }) => alert !== 'HighErrorRate')

test('the original rule keeps its group, name, expression and texts', () => {
  const group = rules.groups.find(({ name }) => name === 'KeyServerAlerts')
  expect(group?.rules).toEqual([
    {
      alert: 'HighErrorRate',
      expr: 'increase(http_status_codes{code=~"5.."}[5m]) > 10',
      for: '5m',
      labels: { severity: 'critical' },
      annotations: expect.objectContaining({
        summary: 'High server error rate detected',
        description: 'More than 10 errors in the last 5 minutes.',
      }),
    },
  ])
})

test.for(RULES)('the rules of %s are explained on the page of the same name', (file) => {
  const page = `docs/how-to/runbook/${basename(file, '.yaml')}.md#`
  const links = alertsOf(readRules([file])).map(({ annotations }) => annotations.runbook_url)
  expect(links).not.toEqual([])
  expect(links.filter((link) => !link?.startsWith(page))).toEqual([])
})

test('no two rules have the same name', () => {
  const names = rules.groups.flatMap(({ rules }) =>
    rules.map((rule) => ('alert' in rule ? rule.alert : rule.record)),
  )
  expect(names).toEqual([...new Set(names)])
})

describe.for(alerts.map((rule) => [rule.alert, rule] as const))('%s', ([name, { labels, annotations }]) => {
  test('has a severity and says what, when (in UTC) and what to do', () => {
    expect(labels.severity).toMatch(/^(critical|high|medium|low)$/)
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'time', 'runbook_url'])
    expect(annotations.time).toContain('humanizeTimestamp')
  })

  test('is explained under the heading that its link names', () => {
    const [document = '', anchor] = annotations.runbook_url?.split('#') ?? []
    const text = readFileSync(resolve(import.meta.dirname, '..', document), 'utf8')
    const section = text.split(/^## /m).find((part) => anchorOf(part.split('\n', 1)[0] ?? '') === anchor)
    expect(section).toContain(`\`${name}\``)
    for (const part of ['**Means**', '**See**', '**Do**', '**Silence**']) expect(section).toContain(part)
  })
})

test('own rules have a signal, which inhibition compares, and only they', () => {
  expect(own.filter(({ labels }) => labels.signal === undefined)).toEqual([])
})

test('own rules select the job, and the metrics of Kubernetes by pods of the job', () => {
  const expressions = rules.groups.flatMap(({ name, rules }) =>
    rules
      .filter((rule) => !('alert' in rule && rule.alert === 'HighErrorRate'))
      .map(({ expr }) => ({ name, expr })),
  )
  const selectors = expressions.flatMap(
    ({ expr }) =>
      expr.match(/\b(http|key|entropy|webhook|auth|api|rate|tls|overload|up)[a-z_]*\{[^}]*\}/g) ?? [],
  )
  expect(selectors.length).toBeGreaterThan(20)
  expect(selectors.filter((selector) => !selector.includes('job="key-server"'))).toEqual([])
  const others = expressions.filter(({ expr }) => /\b(kube|container)_/.test(expr))
  expect(others).not.toEqual([])
  for (const { name, expr } of others) {
    expect([name, expr]).toEqual(['key-server-kubernetes', expect.stringContaining('up{job="key-server"}')])
  }
})
