import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Refusal, released } from '../scripts/version.ts'

// A version of the past, or a release would write its own into this file.
const RELEASE = { was: '0.0.1', version: '0.0.2', day: '2026-12-01' }

describe('a release', () => {
  test.for([
    [
      'helm/key-server/Chart.yaml',
      'name: x\nversion: 0.0.1\nappVersion: 0.0.1\n',
      'name: x\nversion: 0.0.2\nappVersion: 0.0.2\n',
    ],
    ['Dockerfile', 'FROM a\nARG VERSION=0.0.1\n', 'FROM a\nARG VERSION=0.0.2\n'],
    ['README.md', 'key-server-0.0.1.tgz key-server-0.0.1', 'key-server-0.0.2.tgz key-server-0.0.2'],
    [
      'CHANGELOG.md',
      '## [Unreleased]\n\n### Added\n\n- a\n',
      '## [Unreleased]\n\n## [0.0.2] - 2026-12-01\n\n### Added\n\n- a\n',
    ],
  ] as const)('writes its version into %s', ([file, text, made]) => {
    expect(released(file, text, RELEASE)).toBe(made)
  })

  test.for([
    [
      'CHANGELOG.md',
      'entry below [Unreleased]',
      '## [Unreleased]\n\n## [0.0.1] - 2026-11-01\n\n### Added\n\n- a\n',
    ],
    [
      'CHANGELOG.md',
      'entry below [Unreleased]',
      '## [Unreleased]\n\n### Added\n\n## [0.0.1] - 2026-11-01\n\n### Added\n\n- a\n',
    ],
    ['helm/key-server/Chart.yaml', 'version', 'name: x\n'],
    ['Dockerfile', 'ARG VERSION', 'FROM a\n'],
    ['README.md', 'key-server-0.0.1', 'key-server-0x0x1.tgz'],
  ] as const)('is none where %s has no %s: %j', ([file, what, text]) => {
    expect(() => released(file, text, RELEASE)).toThrow(
      new Refusal(`nothing is released: ${file} has no ${what}`),
    )
  })

  test('without its version is none, which is said in a sentence', () => {
    const script = resolve(import.meta.dirname, '../scripts/version.ts')
    const env = { ...process.env, npm_new_version: undefined }
    const { status, stderr } = spawnSync(process.execPath, [script, 'check'], { env, encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^`npm version` runs this, .*\n$/)])
  })
})

describe('the launcher', () => {
  const launcher = resolve(import.meta.dirname, '../bin/key-server.cjs')
  const underNode = (version: string) => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`
    return spawnSync(process.execPath, ['--eval', `${pretend}; require(${JSON.stringify(launcher)})`], {
      encoding: 'utf8',
    })
  }

  test.for(['20.20.2', '23.11.0', '0.10.48'])('says under Node %s what it needs', (version) => {
    const { status, stdout, stderr } = underNode(version)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^key-server: Node 24 or later is needed, not v[\d.]+\n$/)
  })

  test('asks for the least Node that the package names', () => {
    const { engines } = JSON.parse(readFileSync(resolve(launcher, '../../package.json'), 'utf8'))
    expect(engines.node).toBe(`>=${/var least = (\d+)/.exec(readFileSync(launcher, 'utf8'))?.[1]}`)
  })

  test('has no word that an old Node does not know', () => {
    expect(readFileSync(launcher, 'utf8')).not.toMatch(/=>|`|\b(?:let|const|import|class|async)\b|\?\?|\?\./)
  })
})
