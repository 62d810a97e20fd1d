import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import packageJson from '../package.json' with { type: 'json' }

const ROOT = resolve(import.meta.dirname, '..')
const CHART = 'helm/key-server/Chart.yaml'

/** A release: the version before it, its own, and its day. */
export interface Release {
  readonly was: string
  readonly version: string
  readonly day: string
}

/**
 * The text of a file of the project as of a release.
 * @throws where there is nothing to release, or no version to replace.
 */
export function released(file: string, text: string, { was, version, day }: Release): string {
  switch (file) {
    case CHART:
      return replaced(text, /^(version|appVersion): .*$/gm, `$1: ${version}`)
    case 'Dockerfile':
      return replaced(text, /^ARG VERSION=.*$/m, `ARG VERSION=${version}`)
    case 'CHANGELOG.md':
      return replaced(text, /^## \[Unreleased\]\n(?=\n###)/m, `## [Unreleased]\n\n## [${version}] - ${day}\n`)
    default:
      return replaced(
        text,
        new RegExp(`key-server-${was.replaceAll('.', '\\.')}`, 'g'),
        `key-server-${version}`,
      )
  }
}

function replaced(text: string, pattern: RegExp, by: string): string {
  const made = text.replace(pattern, by)
  if (made === text) throw new Error(`found nothing like ${pattern} to release`)
  return made
}

if (import.meta.main) {
  const was = /^version: (.*)$/m.exec(readFileSync(resolve(ROOT, CHART), 'utf8'))?.[1] ?? ''
  const release = { was, version: packageJson.version, day: new Date().toISOString().slice(0, 10) }
  // Documents name the chart's archive; helm's labels, in what a test compares with, have its name and version.
  // The changelog is the exception: what it says of older releases stays.
  const naming = execFileSync(
    'git',
    ['grep', '--files-with-matches', '--fixed-strings', `key-server-${was}`, '--', '.', ':!CHANGELOG.md'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  )
  for (const file of [CHART, 'Dockerfile', 'CHANGELOG.md', ...naming.trim().split('\n')]) {
    const path = resolve(ROOT, file)
    writeFileSync(path, released(file, readFileSync(path, 'utf8'), release))
  }
}
