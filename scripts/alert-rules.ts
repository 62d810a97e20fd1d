import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
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

const FOLDER = resolve(import.meta.dirname, '../helm/key-server/alerts')

/** The files of all rules, as Prometheus and the chart read them. */
export const RULES = readdirSync(FOLDER)
  .sort()
  .map((name) => join(FOLDER, name))

/** The rules of these files, anew at each call. */
export function readRules(files: readonly string[] = RULES): RuleFile {
  // Each rule has an alias or two: more in all than the parser takes from strangers.
  const parts: RuleFile[] = files.map((file) => parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 }))
  return { groups: parts.flatMap(({ groups }) => groups) }
}

/** Those that fire. */
export function alertsOf({ groups }: RuleFile): Alert[] {
  return groups.flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule))
}
