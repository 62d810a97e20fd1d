import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, type TestContext } from 'vitest'
import { alertsOf, RULES, readRules } from '../../../scripts/alert-rules.ts'
import { needs } from '../../program.ts'
import { type Series, STEP } from './release.ts'

/** Series and the minute at which the alerts are looked at. */
export interface Scenario {
  readonly series: Series
  readonly minute: number
}

/** An alert as it is to fire, but for what all have in common: the time and the link. */
export interface Firing {
  readonly labels: Readonly<Record<string, string>>
  readonly summary: string
  readonly description: string
}

const LONG_AGO = Date.UTC(1970, 0, 1)

/** Scenarios longer than this are judged every 2 minutes only, or windows of days would take promtool minutes. */
const LONG_MINUTES = 120

/** Sees with promtool that one alert fires exactly so, or that it does not. */
export function expectAlert(
  context: TestContext,
  name: string,
  scenario: Scenario,
  firing: readonly Firing[],
): void {
  const rule = alertsOf(readRules()).find(({ alert }) => alert === name)
  const time = new Date(LONG_AGO + scenario.minute * 60_000).toISOString()
  const exp_alerts = firing.map(({ labels, summary, description }) => ({
    exp_labels: labels,
    exp_annotations: {
      summary,
      description,
      time: time.replace('T', ' ').replace('.000Z', ' +0000 UTC'),
      runbook_url: rule?.annotations.runbook_url,
    },
  }))
  check(context, scenario, {
    alert_rule_test: [{ alertname: name, eval_time: `${scenario.minute}m`, exp_alerts }],
  })
}

/** Sees that at that time the alerts of these names fire and no others. */
export function expectFiring(context: TestContext, scenario: Scenario, names: readonly string[]): void {
  check(context, scenario, {
    promql_expr_test: [
      {
        expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${scenario.minute}m`,
        exp_samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
      },
    ],
  })
}

function check(context: TestContext, { series, minute }: Scenario, tests: object): void {
  const promtool = needs('promtool', context)
  const folder = mkdtempSync(join(tmpdir(), 'key-server-alerts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'test.yaml')
  const samples = (minute * 60) / STEP
  const input_series = Object.entries(series).map(([name, values]) => ({
    series: name,
    values: /[ x]/.test(values) ? values : `${values}x${samples}`,
  }))
  writeFileSync(
    file,
    JSON.stringify({
      rule_files: RULES,
      evaluation_interval: minute > LONG_MINUTES ? '2m' : `${STEP}s`,
      group_eval_order: readRules().groups.map(({ name }) => name),
      tests: [{ interval: `${STEP}s`, input_series, ...tests }],
    }),
  )
  const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', file], { encoding: 'utf8' })
  expect({ status, output: `${stdout}${stderr}` }).toEqual({
    status: 0,
    output: expect.stringContaining('SUCCESS'),
  })
}
