import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { refuse } from './options.ts'

/** What a measurement was made on, for whoever reads its figures. */
export function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, Linux ${release()}, Node ${process.versions.node}`
}

/** The npm script that this process runs as a person types it, flags and all. */
export function command(script: string): string {
  const flags = process.argv.slice(2)
  return ['npm run', script, ...(flags.length > 0 ? ['--', ...flags] : [])].join(' ')
}

/** Makes the folder of `--out` before the measurement; where it can't, it ends the process with a sentence and status 2. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    refuse(`--out must be a folder to write to, not "${folder}" (${(error as Error).message})`)
  }
}

/** Writes the results of a run into `folder`, which is made if need be. */
export function writeResults(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

/** A Markdown table. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return [head, head.map((_cell, index) => (index === 0 ? '---' : '--:')), ...rows].map(line).join('')
}

/** Puts `text` between `<!-- measured: NAME -->` and `<!-- end -->` in a document. */
export function replaceMade(document: string, name: string, text: string): void {
  const before = readFileSync(document, 'utf8')
  const after = before.replace(
    new RegExp(`(<!-- measured: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`),
    (_all, start: string, end: string) => `${start}${text}\n${end}`,
  )
  writeFileSync(document, after)
}
