import { describe, expect, test } from 'vitest'
import { expectRefused, template } from './chart.ts'

describe('unique keys are refused with', () => {
  const file = { enabled: true, store: 'file' }
  const kubernetes = { enabled: true, store: 'kubernetes' }
  test.for([
    [
      'a store of no kind',
      { unique: { store: 'redis' } },
      /unique\/store.*must be one of 'file', 'postgres', 'kubernetes'/,
    ],
    ['the flag alone', { unique: true }, /unique.*boolean.*object/],
    ['a setting that is none here', { keyspaceSecret: { name: 'x' } }, /'keyspaceSecret' not allowed/],
    ['a size that is none', { unique: { volume: { size: 'large' } } }, /unique\/volume\/size.*pattern/],
    [
      'a file for two pods',
      { unique: file, replicaCount: 2 },
      /replicaCount must be 1, not 2: .*unique\.store=file is for one pod; unique\.store=kubernetes and postgres/,
    ],
    [
      'a file for an autoscaler',
      { unique: file, autoscaling: { enabled: true } },
      /autoscaling\.enabled must be false: .* for one pod/,
    ],
    [
      'a database that no Secret names',
      { unique: { ...file, store: 'postgres' } },
      /unique\.postgres\.name must be the name of a Secret .*kubectl create secret/,
    ],
    [
      'a database behind a policy that lets nothing out',
      {
        unique: { ...file, store: 'postgres', postgres: { name: 'database' } },
        networkPolicy: { enabled: true },
      },
      /networkPolicy\.egress must let the pods reach PostgreSQL, and DNS/,
    ],
    [
      'the cluster for the account of all pods',
      { unique: kubernetes, serviceAccount: { create: false } },
      /serviceAccount\.name must be given or serviceAccount\.create be true/,
    ],
  ] as const)('%s', ([, values, says], context) => {
    expectRefused(context, values, says)
  })

  test.for([
    ['two pods without a store', { unique: { store: 'file' }, replicaCount: 2 }],
    ['a file for one pod or none', { unique: file, replicaCount: 0 }],
    ['an autoscaler that is off', { unique: file, autoscaling: { maxReplicas: 10 } }],
    ['the cluster for many', { unique: kubernetes, replicaCount: 4, autoscaling: { enabled: true } }],
    ['an account that is named', { unique: kubernetes, serviceAccount: { create: false, name: 'keys' } }],
  ] as const)('not: %s', ([, values], context) => {
    expect(template(context, values)).toMatchObject({ status: 0, stderr: '' })
  })
})
