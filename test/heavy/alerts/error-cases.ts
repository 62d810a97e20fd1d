import { type AlertCases, ofService, onePod } from './case.ts'
import { counter, type PodTraffic, release, target } from './release.ts'

/** Key calls that fail, and the error budget. */
export const errorCases: AlertCases = {
  HighErrorRate: {
    fires: {
      '20 of one code in one pod in 5 minutes': {
        ...onePod({ calls: { 500: '0+1' } }, 15),
        firing: [
          {
            labels: { ...target('key-server-0'), code: '500', handler: 'key', severity: 'critical' },
            summary: 'High server error rate detected',
            description: 'More than 10 errors in the last 5 minutes.',
          },
        ],
      },
    },
    spares: {
      '10 of each code in each pod': {
        series: release({ pods: [{ calls: { 500: '0+0.5', 503: '0+0.5' } }, { calls: { 500: '0+0.5' } }] }),
        minute: 15,
      },
      'as many 4xx': onePod({ calls: { 400: '0+1' } }, 15),
    },
  },
  KeyServerFailedCalls: {
    fires: {
      '8 in each of two pods': {
        series: release({ pods: [{ calls: { 500: '0+0.4' } }, { calls: { 503: '0+0.4' } }] }),
        minute: 15,
        firing: ofService(
          'critical',
          'errors',
          'keys/key-server fails key calls',
          '16 key calls of the last 5 minutes failed, more than 10, over all pods.',
        ),
      },
    },
    spares: {
      '4 in each of two pods': {
        series: release({ pods: [{ calls: { 500: '0+0.2' } }, { calls: { 503: '0+0.2' } }] }),
        minute: 15,
      },
      'probes answered with 503': onePod({ other: { 503: '0+2' } }, 15),
    },
  },
  ...errorsAt('KeyServerErrors1PerMille', 'low', 2, 1),
  ...errorsAt('KeyServerErrors1Percent', 'medium', 20, 9),
  ...errorsAt('KeyServerErrors5Percent', 'high', 70, 45),
  ...errorsAt('KeyServerErrors10Percent', 'critical', 120, 95),
  ...burning('KeyServerBudgetBurn14x', {
    severity: 'critical',
    minute: 80,
    longAgo: 40,
    ofLate: 77,
    above: 20,
    below: 14,
    days: 'within about 2 days',
    window: 'hour',
  }),
  ...burning('KeyServerBudgetBurn6x', {
    severity: 'high',
    minute: 400,
    longAgo: 200,
    ofLate: 380,
    above: 8,
    below: 5,
    days: 'within 5 days',
    window: '6 hours',
  }),
  ...burning('KeyServerBudgetBurn1x', {
    severity: 'medium',
    minute: 560,
    longAgo: 5,
    ofLate: 480,
    above: 2,
    below: 1,
    days: 'before they end',
    window: '3 days',
  }),
  KeyServerShedding: {
    fires: {
      '5% for two reasons': {
        ...onePod(
          { calls: { 200: '0+95', 503: '0+5' }, more: [shed('lag', '0+2'), shed('in_flight', '0+3')] },
          10,
        ),
        firing: ofService(
          'medium',
          'overload',
          'keys/key-server turns key calls away',
          'There was no room for 5% of the key calls of the last 5 minutes: they got 503.',
        ),
      },
    },
    spares: {
      'other failures': onePod({ calls: { 200: '0+95', 500: '0+5' } }, 10),
      '1%': onePod({ calls: { 200: '0+99', 503: '0+1' }, more: [shed('lag', '0+1')] }, 10),
      'a few of few calls': onePod({ calls: { 200: '0+1' }, more: [shed('lag', '0+0.4')] }, 10),
      '503 for another reason': onePod({ calls: { 200: '0+95', 503: '0+5' }, more: [shed('lag', '0')] }, 10),
    },
  },
}

function shed(reason: string, samples: string) {
  return ['overload_shed_total', { reason }, samples] as const
}

function failing(perThousand: number): PodTraffic {
  return { calls: { 200: `0+${1000 - perThousand}`, 500: `0+${perThousand}` } }
}

function errorsAt(name: string, severity: string, above: number, below: number): AlertCases {
  const share = `${above / 10}%`
  const firing = ofService(
    severity,
    'errors',
    `${share} of the key calls to keys/key-server fail`,
    `${share} of the key calls of the last 5 minutes were answered with 5xx.`,
  )
  const few = { calls: { 200: '0+1', 500: counter([38, 0], [9, 1], [80, 0]) } }
  return {
    [name]: {
      fires: { [share]: { ...onePod(failing(above), 20), firing } },
      spares: { [`${below / 10}%`]: onePod(failing(below), 20), 'many of few calls': onePod(few, 15) },
    },
  }
}

interface Burn {
  readonly severity: string
  readonly minute: number
  /** Failures of 1,000 calls: enough, and not enough. */
  readonly above: number
  readonly below: number
  /** A minute that only the long window remembers, and one that both do, longer ago than `for`. */
  readonly longAgo: number
  readonly ofLate: number
  readonly days: string
  readonly window: string
}

function burning(name: string, burn: Burn): AlertCases {
  const { severity, minute, above, below, longAgo, ofLate, days, window } = burn
  const firing = ofService(
    severity,
    'errors',
    `keys/key-server uses up the errors of 30 days ${days}`,
    `${above / 10}% of the key calls of the last ${window} failed; 0.1% are allowed.`,
  )
  const ended = { 200: '0+1000', 500: counter([longAgo * 4, 0], [20, 500], [minute * 4, 0]) }
  const atNight = {
    200: counter([ofLate * 4, 0], [1, 3], [minute * 4, 0]),
    500: counter([ofLate * 4, 0], [1, 1], [minute * 4, 0]),
  }
  return {
    [name]: {
      fires: { [`${above / 10}%`]: { ...onePod(failing(above), minute), firing } },
      spares: {
        [`${below / 10}%`]: onePod(failing(below), minute),
        'a burst that has ended': onePod({ calls: ended }, minute),
        'one of four calls at night': onePod({ calls: atNight }, minute),
      },
    },
  }
}
