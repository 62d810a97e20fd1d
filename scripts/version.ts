import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
const CHART = 'helm/key-server/Chart.yaml'

/** A release: the version before it, its own, and its day. */
export interface Release {
  readonly was: string
  readonly version: string
  readonly day: string
}

/** Thrown for what can't be released; its message is for people. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

/**
 * The text of a file of the project as of a release.
 * @throws {Refusal} where there is nothing to release, or no version to replace.
 */
export function released(file: string, text: string, { was, version, day }: Release): string {
  const replaced = (what: string, pattern: RegExp, by: string) => {
    const made = text.replace(pattern, by)
    if (made === text) throw new Refusal(`nothing is released: ${file} has no ${what}`)
    return made
  }
  switch (file) {
    case CHART:
      return replaced('version', /^(version|appVersion): .*$/gm, `$1: ${version}`)
    case 'Dockerfile':
      return replaced('ARG VERSION', /^ARG VERSION=.*$/m, `ARG VERSION=${version}`)
    case 'CHANGELOG.md': {
      const unreleased = /^## \[Unreleased\]\n(?=\n### .*\n\n- )/m
      return replaced('entry below [Unreleased]', unreleased, `## [Unreleased]\n\n## [${version}] - ${day}\n`)
    }
    default: {
      const name = `key-server-${was}`
      return replaced(name, RegExp(name.replaceAll('.', '\\.'), 'g'), `key-server-${version}`)
    }
  }
}

/** The texts of all files that a release changes, by path. */
function releaseOf(version: string | undefined): [path: string, text: string][] {
  if (version === undefined)
    throw new Refusal('`npm version` runs this, and says by npm_new_version what is next')
  const was = /^version: (.*)$/m.exec(readFileSync(resolve(ROOT, CHART), 'utf8'))?.[1] ?? ''
  const release = { was, version, day: new Date().toISOString().slice(0, 10) }
  // Documents name the chart's archive; helm's labels, in what a test compares with, have its name and version.
  // The changelog is the exception: what it says of older releases stays.
  const naming = execFileSync(
    'git',
    ['grep', '--files-with-matches', '--fixed-strings', `key-server-${was}`, '--', '.', ':!CHANGELOG.md'],
    { cwd: ROOT, encoding: 'utf8' },
  )
  return [CHART, 'Dockerfile', 'CHANGELOG.md', ...naming.trim().split('\n')].map((file) => {
    const path = resolve(ROOT, file)
    return [path, released(file, readFileSync(path, 'utf8'), release)]
  })
}

if (import.meta.main) {
  try {
    const texts = releaseOf(process.env.npm_new_version)
    if (process.argv[2] !== 'check') for (const [path, text] of texts) writeFileSync(path, text)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}
