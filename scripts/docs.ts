import { readFileSync, writeFileSync } from 'node:fs'
import { guide } from '../src/problem-guide.ts'
import { Settings } from '../src/schemas/settings.ts'
import { flagOf, type Setting, settingsOf, variableOf } from '../src/settings.ts'

/** The documents with parts that are made from the code, from the project's root. */
export const documents = ['README.md', 'docs/problems.md']

const parts: Record<string, () => string> = { settings: settingsTable, problems: problemsTable }

/** `text` with what stands between `<!-- made: NAME -->` and `<!-- end -->` made anew from the code. */
export function remake(text: string): string {
  return text.replace(
    /(<!-- made: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_all, start: string, name: string, end: string) => `${start}${parts[name]?.()}${end}`,
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

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

if (import.meta.main) {
  for (const document of documents) {
    const path = documentPath(document)
    writeFileSync(path, remake(readFileSync(path, 'utf8')))
  }
}
