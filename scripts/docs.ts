import { readFileSync, writeFileSync } from 'node:fs'
import { keysUntil, written } from '../src/page/odds.js'
import { guide } from '../src/problems/guide.ts'
import { Settings } from '../src/schemas/settings.ts'
import { flagOf, type Setting, settingsOf, variableOf } from '../src/settings/settings.ts'
import { alertsOf, readRules } from './alert-rules.ts'
import { chartPath, type Schema } from './chart.ts'
import { bringers, exposition } from './exposition.ts'

/** The documents with parts that are made from the code, from the project's root. */
export const documents = [
  ...['settings', 'chart', 'metrics', 'alerts', 'problems'].map((name) => `docs/reference/${name}.md`),
  'docs/how-to/unique-keys.md',
]

const parts: Record<string, () => string | Promise<string>> = {
  settings: settingsTable,
  chart: chartTable,
  metrics: metricsTable,
  alerts: alertsTable,
  problems: problemsTable,
  odds: oddsTable,
}

/** `text` with what stands between `<!-- made: NAME -->` and `<!-- end -->` made anew from the code. */
export async function remake(text: string): Promise<string> {
  const [, name = ''] = /<!-- made: (\w+) -->/.exec(text) ?? []
  const part = await parts[name]?.()
  return text.replace(
    /(<!-- made: \w+ -->\n)[\s\S]*?(<!-- end -->)/,
    (_all, start: string, end: string) => `${start}${part}${end}`,
  )
}

/** The path of a document. */
export function documentPath(document: string): URL {
  return new URL(`../${document}`, import.meta.url)
}

function settingsTable(): string {
  const rows = settingsOf(Settings).map(([name, setting]) => [
    `\`-${flagOf(name)}\``,
    setting.secret ? `\`${variableOf(name)}\`, \`${variableOf(name)}_FILE\`` : `\`${variableOf(name)}\``,
    valuesOf(setting),
    setting.default === undefined || setting.default === '' ? '' : `\`${setting.default}\``,
    setting.description,
  ])
  return table(['flag', 'variable', 'values', 'default', 'meaning'], rows)
}

function valuesOf({ type, minimum, maximum }: Setting): string {
  if (type === 'integer') return `${minimum} to ${maximum}`
  return type === 'boolean' ? 'true, false' : 'text'
}

function chartTable(): string {
  const schema: Schema = JSON.parse(readFileSync(chartPath('values.schema.json'), 'utf8'))
  return table(['value', 'default', 'meaning'], chartRows(schema, ''))
}

function chartRows({ properties = {} }: Schema, above: string): string[][] {
  return Object.entries(properties).flatMap(([name, part]) => {
    if (part.description === undefined) return []
    const row = [`\`${above}${name}\``, defaultOf(part), part.description]
    return [row, ...chartRows(part, `${above}${name}.`)]
  })
}

function defaultOf({ default: value, properties }: Schema): string {
  if (properties !== undefined || value === undefined || value === '') return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

/** By the help that `/metrics` gives, with the setting that a metric needs. */
async function metricsTable(): Promise<string> {
  const text = await exposition(['/key/16', '/key/2'])
  const types = typesIn(text)
  const needed = new Map([...typesIn(await exposition([], {})).keys()].map((name) => [name, '']))
  for (const [flag, settings] of Object.entries(bringers)) {
    for (const name of typesIn(await exposition([], settings)).keys()) {
      if (!needed.has(name)) needed.set(name, `\`${flag}\``)
    }
  }
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = '', help = '']) => [
    `\`${name}\``,
    `${types.get(name)}`,
    labelsOf(name, text),
    `${needed.get(name)}`,
    help,
  ])
  return table(
    ['metric', 'type', 'labels', 'with', 'help'],
    rows.sort(([a = ''], [b = '']) => a.localeCompare(b)),
  )
}

function typesIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]))
}

/** The labels of a metric, with their values where all of them are words. */
function labelsOf(name: string, text: string): string {
  // It has samples only once there was a collection, which nobody can tell when.
  if (name === 'nodejs_gc_duration_seconds') return '`kind`'
  const labels = new Map<string, Set<string>>()
  for (const [, found = ''] of text.matchAll(RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm'))) {
    for (const [, label = '', value = ''] of found.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label !== 'le') labels.set(label, (labels.get(label) ?? new Set()).add(value))
    }
  }
  return [...labels]
    .map(([label, values]) => {
      const words = [...values].every((value) => /^[a-z_]+$/.test(value))
      return `\`${label}\`${words ? ` (${[...values].join(', ')})` : ''}`
    })
    .join(', ')
}

function alertsTable(): string {
  const rows = alertsOf(readRules()).map(({ alert, expr, for: duration = '', labels, annotations }) => [
    `[${alert}](../${annotations.runbook_url?.replace('docs/', '')})`,
    `${labels.severity}`,
    duration,
    `\`${expr.trim().replaceAll(/\s+/g, ' ')}\``,
  ])
  return table(['alert', 'severity', 'for', 'expression'], rows)
}

function problemsTable(): string {
  const rows = guide.map(({ type, status, title, sentence, means, remedy }) => [
    `\`${type}\``,
    String(status),
    title,
    sentence,
    `${means} ${remedy}`,
  ])
  return table(['type', 'status', 'title', 'sentence', 'what it means, and what to do'], rows)
}

function oddsTable(): string {
  const rows = [1, 2, 3, 4, 6, 8, 12, 16].map((bytes) => [
    String(bytes),
    ...[0.5, 1e-6].map((odds) => written(keysUntil(8 * bytes, odds))),
  ])
  return table(['bytes', 'one in two after', 'one in a million after'], rows)
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('')
}

if (import.meta.main) {
  for (const document of documents) {
    const path = documentPath(document)
    writeFileSync(path, await remake(readFileSync(path, 'utf8')))
  }
}
