import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { needs } from '../program.ts'

const run = (...args: string[]) => spawnSync('node', ['bench/slow-readers.ts', ...args], { encoding: 'utf8' })

/** The network namespaces that this test's runs have left. */
const namespaces = () =>
  existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith('key-server-')) : []

test('64 clients that stop reading answers of 1 MiB do not kill a pod of 128Mi with the chart’s bound', {
  timeout: 300_000,
}, (context) => {
  for (const program of ['ip', 'nsenter', 'ss', 'sysctl']) needs(program, context)
  if (process.getuid?.() !== 0) context.skip('network namespaces need root')
  const before = namespaces()
  const { status, stdout, stderr } = run('--bound', '262144')
  expect([status, stderr]).toEqual([0, '64 clients, 256 KiB in the kernel for each\n'])
  expect(stdout).toMatch(/^\| 256 KiB \| [\d.]+ \| [\d.]+ \| no \|$/m)
  expect(namespaces()).toEqual(before)
})

test.for([
  ['--clients', '0'],
  ['--bound', '16777217'],
] as const)('refuses %s %s with a sentence', ([flag, value]) => {
  const { status, stderr } = run(flag, value)
  expect([status, stderr]).toEqual([2, expect.stringMatching(`^${flag} must be a whole number from 1 to`)])
})
