import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'

/** A rule that fires. */
export interface Alert {
  readonly alert: string
  readonly expr: string
  for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface RecordedSeries {
  readonly record: string
  readonly expr: string
}

/** What a rule file of Prometheus holds. */
export interface RuleFile {
  readonly groups: readonly {
    readonly name: string
    readonly rules: readonly (Alert | RecordedSeries)[]
  }[]
}

/** The file of all rules, as Prometheus and the chart read it. */
export const RULES = resolve(import.meta.dirname, '../helm/key-server/alerts.yaml')

/** The rules, anew at each call. */
export function readRules(): RuleFile {
  // Each rule has an alias or two: more in all than the parser takes from strangers.
  return parse(readFileSync(RULES, 'utf8'), { maxAliasCount: -1 })
}

/** Those that fire. */
export function alertsOf({ groups }: RuleFile): Alert[] {
  return groups.flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule))
}
