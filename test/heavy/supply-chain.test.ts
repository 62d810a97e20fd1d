import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Those that ask for no more than their own text. */
const PERMISSIVE = [
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
]

interface Bill {
  readonly bomFormat: string
  readonly components: readonly {
    readonly name: string
    readonly licenses?: readonly { license?: { id?: string; name?: string }; expression?: string }[]
  }[]
}

function npm(...words: string[]): unknown {
  const { stdout } = spawnSync('npm', words, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return JSON.parse(stdout)
}

test('the bill of materials has what runs, and each licence in it is permissive', () => {
  const { bomFormat, components } = npm('run', '--silent', 'sbom') as Bill
  expect(bomFormat).toBe('CycloneDX')
  const names = components.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['fastify', 'pino', 'ioredis']))
  expect(names).not.toContain('vitest')
  const others = components.filter(({ licenses = [] }) => {
    const ids = licenses.map(({ license, expression }) => license?.id ?? license?.name ?? expression)
    return ids.length === 0 || !ids.every((id) => PERMISSIVE.includes(`${id}`))
  })
  expect(others).toEqual([])
})

test('no known weakness is in what runs, where the registry can be asked', ({ skip }) => {
  const report = npm('audit', '--omit=dev', '--json') as {
    error?: { code?: string; summary?: string }
    vulnerabilities?: Record<string, unknown>
  }
  if (report.vulnerabilities === undefined) {
    const reason = `this registry can't be asked for known weaknesses: ${report.error?.code ?? 'no report'}`
    console.warn(`Skipped, because ${reason}`)
    skip(reason)
  }
  expect(Object.keys(report.vulnerabilities ?? {})).toEqual([])
})
