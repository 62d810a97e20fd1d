import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { alertsOf, type RuleFile, readRules } from '../../../scripts/alert-rules.ts'

const EXAMPLES = resolve(import.meta.dirname, '../../../docs/examples')

/** The examples that the documents hand out. */
export const ALERTMANAGER = resolve(EXAMPLES, 'alertmanager.yml')
export const PROMETHEUS = resolve(EXAMPLES, 'prometheus.yml')

interface Route {
  receiver: string
  routes?: Route[]
}

interface AlertmanagerConfig {
  readonly route: Route
  readonly inhibit_rules: readonly object[]
  readonly receivers: readonly { readonly name: string }[]
}

/** The example's routes and inhibition without its pauses; each receiver is a webhook `<origin>/<its name>`. */
export function quickAlertmanager(origin: string): object {
  const { route, inhibit_rules, receivers }: AlertmanagerConfig = parse(readFileSync(ALERTMANAGER, 'utf8'))
  return {
    route: { ...route, group_wait: '1s', group_interval: '1s' },
    inhibit_rules,
    receivers: receivers.map(({ name }) => ({ name, webhook_configs: [{ url: `${origin}/${name}` }] })),
  }
}

/** The example with one target, these labels on it, and a scrape and an evaluation each second. */
export function quickPrometheus(
  target: string,
  labels: Readonly<Record<string, string>>,
  more: object = {},
): { readonly scrape_configs: readonly object[] } {
  const { scrape_configs, ...config } = parse(readFileSync(PROMETHEUS, 'utf8'))
  const [job] = scrape_configs
  const [{ labels: given }] = job.static_configs
  return {
    ...config,
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['alerts.yaml'],
    scrape_configs: [{ ...job, static_configs: [{ targets: [target], labels: { ...given, ...labels } }] }],
    ...more,
  }
}

/** The rules, expressions unchanged, that fire once they hold for a second. */
export function quickRules(): RuleFile {
  const rules = readRules()
  for (const rule of alertsOf(rules)) rule.for = '1s'
  return rules
}
