import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, type TestContext, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from '../documents.ts'
import { needs } from '../program.ts'
import { projectFiles } from './clone.ts'

const files = projectFiles()

const workflows = files.filter((file) => file.startsWith('.github/workflows/'))
const scripts = files.filter((file) => /^\.ci\/|\.sh$/.test(file))

function lint(context: TestContext, program: string, args: string[]): string {
  const { stdout, stderr } = spawnSync(needs(program, context), args, { cwd: ROOT, encoding: 'utf8' })
  return stdout + stderr
}

test('hadolint finds nothing in the Dockerfile', (context) => {
  expect(lint(context, 'hadolint', ['Dockerfile'])).toBe('')
})

test('shellcheck finds nothing in the scripts', (context) => {
  expect(scripts).toContain('.ci/run')
  expect(lint(context, 'shellcheck', scripts)).toBe('')
})

test('actionlint finds nothing in the workflows, nor shellcheck in their steps', (context) => {
  expect(workflows).toHaveLength(3)
  expect(lint(context, 'actionlint', ['-shellcheck', needs('shellcheck', context), ...workflows])).toBe('')
})

interface Workflow {
  readonly permissions: unknown
  readonly jobs: Record<string, { 'timeout-minutes'?: number; steps: { uses?: string; with?: object }[] }>
}

test.for(workflows)('%s pins what it uses, has a time limit and no more rights than it needs', (file) => {
  const text = readFileSync(resolve(ROOT, file), 'utf8')
  const { permissions, jobs } = parse(text) as Workflow
  expect(permissions).toEqual({ contents: 'read' })
  for (const [, uses = ''] of text.matchAll(/uses: (.+)/g)) {
    expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
  }
  for (const job of Object.values(jobs)) {
    expect(job['timeout-minutes']).toBeGreaterThan(0)
    const checkout = job.steps.find(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkout?.with).toMatchObject({ 'persist-credentials': false })
  }
})
