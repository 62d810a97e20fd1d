import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { alertsOf, RULES, readRules } from '../../../scripts/alert-rules.ts'
import { needs } from '../../program.ts'
import { PROMETHEUS } from '../monitoring/examples.ts'
import { accessCases } from './access-cases.ts'
import { errorCases } from './error-cases.ts'
import { keySpaceCases } from './key-space-cases.ts'
import { kubernetesCases } from './kubernetes-cases.ts'
import { latencyCases } from './latency-cases.ts'
import { expectAlert } from './promtool.ts'
import { rotationCases } from './rotation-cases.ts'
import { serviceCases } from './service-cases.ts'

const cases = {
  ...errorCases,
  ...serviceCases,
  ...latencyCases,
  ...kubernetesCases,
  ...keySpaceCases,
  ...rotationCases,
  ...accessCases,
}

test.for([
  ['rules', RULES],
  ['config', [PROMETHEUS]],
] as const)('promtool finds nothing to mend in the %s', ([kind, files], context) => {
  const promtool = needs('promtool', context)
  const { status, stdout, stderr } = spawnSync(promtool, ['check', kind, ...files], { encoding: 'utf8' })
  expect([status, stderr, stdout]).toEqual([0, '', expect.stringMatching(/SUCCESS: \d+ rules found/)])
})

test('each rule is seen to fire and not to fire', () => {
  expect(Object.keys(cases).sort()).toEqual(
    alertsOf(readRules())
      .map(({ alert }) => alert)
      .sort(),
  )
  for (const { fires, spares } of Object.values(cases)) {
    expect([Object.keys(fires), Object.keys(spares)]).not.toContainEqual([])
  }
})

describe.for(Object.entries(cases))('%s', ([name, { fires, spares }]) => {
  test.for(Object.entries(fires))('fires at %s', ([, scenario], context) => {
    expectAlert(context, name, scenario, scenario.firing)
  })
  test.for(Object.entries(spares))('does not fire at %s', ([, scenario], context) => {
    expectAlert(context, name, scenario, [])
  })
})
