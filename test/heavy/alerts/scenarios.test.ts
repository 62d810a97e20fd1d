import { test } from 'vitest'
import { ofService, onePod } from './case.ts'
import { expectAlert, expectFiring, type Scenario } from './promtool.ts'
import { counter, type PodTraffic, release } from './release.ts'

const started = { 200: counter([60, 0], [60, 150]) }
const drained: PodTraffic = {
  up: '1x58 0x1 stale',
  calls: { 200: '0+150x58 stale', 500: '0x58 stale' },
  // Each answer of an unready pod to a probe.
  other: { 200: '0+3x58 stale', 503: '0x55 0+1x2 stale' },
  entropyHealthy: '1x58 stale',
}
const starting: PodTraffic = {
  up: '_x39 0x1 1x80',
  calls: started,
  durations: { 0.0001: started[200], 0.25: counter([60, 0], [2, 2], [60, 0]) },
  lengths: { sum: '_x40 0+2400x80', count: '_x40 0+150x80' },
}

/** Scenarios in which nothing fires. */
const quiet: Readonly<Record<string, Scenario>> = {
  'all is well': { series: release(), minute: 30 },
  'one of two pods drains and another starts': {
    series: release({
      pods: [drained, starting, {}],
      replicas: { wanted: '2', available: '2x38 1x6 2x80' },
    }),
    minute: 17,
  },
  'the same, once all is done': {
    series: release({
      pods: [drained, starting, {}],
      replicas: { wanted: '2', available: '2x38 1x6 2x80' },
    }),
    minute: 28,
  },
  'the counters of a pod begin anew': {
    series: release({
      pods: [
        {
          calls: { 200: '0+150x40 0+150x80', 400: '7+0x40 0x80', 500: '9+0x40 0x80' },
          durations: { 0.0001: '0+150x40 0+150x80' },
          lengths: { sum: '0+2400x40 0+2400x80', count: '0+150x40 0+150x80' },
          blocksRejected: '3+0x40 0x80',
        },
        {},
      ],
    }),
    minute: 12,
  },
}

test.for(Object.entries(quiet))('%s: nothing fires', ([, scenario], context) => {
  expectFiring(context, scenario, [])
})

const failing = {
  calls: { 200: '0+100', 503: '0+50' },
  lengths: { sum: '0+1600', count: '0+100' },
  durations: { 0.1: '0+150' },
}
const overload: PodTraffic = { ...failing, more: [['overload_shed_total', { reason: 'lag' }, '0+50']] }

/** What fires when a third of the key calls fail, whatever the reason. */
const FAILING = [
  'HighErrorRate',
  'KeyServerBudgetBurn14x',
  'KeyServerBudgetBurn6x',
  'KeyServerErrors10Percent',
  'KeyServerErrors1PerMille',
  'KeyServerErrors1Percent',
  'KeyServerErrors5Percent',
  'KeyServerFailedCalls',
]

/** Scenarios in which these fire and no others. */
const loud: Readonly<Record<string, readonly [Scenario, ...names: string[]]>> = {
  'overload: shedding and rates of errors': [
    { series: release({ pods: [overload, overload] }), minute: 30 },
    ...FAILING,
    'KeyServerShedding',
  ],
  'the store of unique keys is away: no shedding, whose cure would not help': [
    {
      series: release({ pods: [{ ...failing, keySpace: { storeErrors: '0+1.5' } }] }),
      minute: 30,
    },
    ...FAILING,
    'KeyServerStoreAway',
  ],
  'fenced: neither': [
    { series: release({ pods: [{ ...failing, keySpace: { fenced: '1' } }] }), minute: 30 },
    ...FAILING,
    'KeyServerKeySpaceFenced',
  ],
  'nothing but refused calls: they are the callers’': [
    { series: release({ pods: [{ calls: { 200: '0', 400: '0+100', 404: '0+50' } }] }), minute: 30 },
    'KeyServerClientErrors',
  ],
  'guesses: the share of refused calls, and what is wrong with them': [
    onePod({ calls: { 401: '0+100' }, more: [['auth_calls_total', { result: 'unknown' }, '0+100']] }, 30),
    'KeyServerClientErrors',
    'KeyServerCredentialsRefused',
  ],
  'one call too many, again and again: the share of refused calls, and the limit': [
    onePod({ calls: { 429: '0+100' }, more: [['rate_limit_refused_total', { by: 'client' }, '0+100']] }, 30),
    'KeyServerClientErrors',
    'KeyServerRateLimited',
  ],
  'up, but no http_status_codes': [
    { series: release({ pods: [{ counted: false }, {}] }), minute: 30 },
    'KeyServerMetricsMissing',
  ],
}

test.for(Object.entries(loud))('%s', ([, [scenario, ...names]], context) => {
  expectFiring(context, scenario, names)
})

test('one failed call at night pages nobody', (context) => {
  const calls = { 200: counter([40, 0], [1, 2], [80, 0]), 500: counter([41, 0], [1, 1], [80, 0]) }
  expectFiring(context, onePod({ calls }, 14), [])
})

test('two versions side by side: their calls are added up', (context) => {
  const old: PodTraffic = { calls: { 200: '0+97', 500: '0+3' } }
  const fresh: PodTraffic = { calls: { 200: '0+100', 502: '0+0' } }
  const scenario = { series: release({ pods: [old, fresh, fresh] }), minute: 20 }
  expectAlert(
    context,
    'KeyServerErrors1PerMille',
    scenario,
    ofService(
      'low',
      'errors',
      '1% of the key calls to keys/key-server fail',
      '1% of the key calls of the last 5 minutes were answered with 5xx.',
    ),
  )
  expectAlert(
    context,
    'KeyServerFailedCalls',
    scenario,
    ofService(
      'critical',
      'errors',
      'keys/key-server fails key calls',
      '60 key calls of the last 5 minutes failed, more than 10, over all pods.',
    ),
  )
})

test('two releases side by side: each answers for itself', (context) => {
  const series = {
    ...release({ pods: [{ calls: { 200: '0+95', 500: '0+5' } }] }),
    ...release({ namespace: 'more-keys', pods: [{ cpu: 0.85 }] }),
  }
  const scenario = { series, minute: 20 }
  expectAlert(
    context,
    'KeyServerErrors1Percent',
    scenario,
    ofService(
      'medium',
      'errors',
      '5% of the key calls to keys/key-server fail',
      '5% of the key calls of the last 5 minutes were answered with 5xx.',
    ),
  )
  expectAlert(context, 'KeyServerCpu80Percent', scenario, [
    {
      labels: {
        namespace: 'more-keys',
        service: 'key-server',
        pod: 'key-server-0',
        severity: 'medium',
        signal: 'cpu',
      },
      summary: 'key-server-0 uses 85% of its CPU limit',
      description:
        'Calls wait for the next period of 100 ms once a pod of more-keys/key-server has used its CPU up.',
    },
  ])
})

test('a pod behind two Services is compared with its limits for both', (context) => {
  const series = {
    ...release({ pods: [{ memory: 0.98 }] }),
    'up{job="key-server",namespace="keys",service="outside",pod="key-server-0",instance="key-server-0:1123"}':
      '1',
  }
  const firing = ['key-server', 'outside'].map((service) => ({
    labels: { namespace: 'keys', service, pod: 'key-server-0', severity: 'critical', signal: 'memory' },
    summary: 'key-server-0 uses 98% of its memory limit',
    description: `At the limit the kernel kills the pod of keys/${service}.`,
  }))
  expectAlert(context, 'KeyServerMemory95Percent', { series, minute: 25 }, firing)
})
