import { type AlertCases, ofService, onePod, service } from './case.ts'
import { release, type Series } from './release.ts'

/** CPU and memory against their limits, and replicas. */
export const kubernetesCases: AlertCases = {
  ...shareOfLimit('cpu', ['KeyServerCpu70Percent', 'low', 75, 65]),
  ...shareOfLimit('cpu', ['KeyServerCpu80Percent', 'medium', 85, 75]),
  ...shareOfLimit('cpu', ['KeyServerCpu90Percent', 'high', 92, 88]),
  ...shareOfLimit('cpu', ['KeyServerCpu95Percent', 'critical', 98, 94]),
  ...shareOfLimit('memory', ['KeyServerMemory70Percent', 'low', 75, 65]),
  ...shareOfLimit('memory', ['KeyServerMemory80Percent', 'medium', 85, 75]),
  ...shareOfLimit('memory', ['KeyServerMemory90Percent', 'high', 92, 88]),
  ...shareOfLimit('memory', ['KeyServerMemory95Percent', 'critical', 98, 94]),
  KeyServerReplicas: {
    fires: {
      'one of two is missing': {
        series: release({ replicas: { wanted: '2', available: '1' } }),
        minute: 20,
        firing: ofService(
          'medium',
          'availability',
          'keys/key-server has not the replicas that are wanted',
          '1 replicas too few for 15 minutes; a negative number is too many.',
        ),
      },
      'no pod is left': {
        series: release({ pods: [{ up: '1x9 stale' }], replicas: { wanted: '1', available: '1x9 0x100' } }),
        minute: 25,
        firing: ofService(
          'medium',
          'availability',
          'keys/key-server has not the replicas that are wanted',
          '1 replicas too few for 15 minutes; a negative number is too many.',
        ),
      },
    },
    spares: {
      'one of two is missing for 10 minutes': {
        series: release({ replicas: { wanted: '2', available: '2x20 1x39 2x20' } }),
        minute: 17,
      },
      'another deployment': {
        series: without(release({ replicas: { wanted: '2', available: '1' } }), 'up{'),
        minute: 20,
      },
    },
  },
  KeyServerUnavailable: {
    fires: {
      'no pod is left, of one of two releases': {
        series: {
          ...release({ pods: [{ up: '1x9 stale' }], replicas: { wanted: '1', available: '1x9 0x100' } }),
          ...release({ namespace: 'more-keys' }),
        },
        minute: 6,
        firing: ofService(
          'critical',
          'availability',
          'keys/key-server has no pod that is available',
          'None of the 1 replicas that are wanted.',
        ),
      },
    },
    spares: {
      'one of two is left': { series: release({ replicas: { wanted: '2', available: '1' } }), minute: 6 },
      'none is wanted': { series: release({ replicas: { wanted: '0', available: '0' } }), minute: 6 },
      'another deployment': {
        series: without(release({ replicas: { wanted: '2', available: '0' } }), 'up{'),
        minute: 6,
      },
    },
  },
}

function shareOfLimit(
  resource: 'cpu' | 'memory',
  [name, severity, above, below]: readonly [name: string, severity: string, above: number, below: number],
): AlertCases {
  const [word, description] = {
    cpu: [
      'CPU',
      'Calls wait for the next period of 100 ms once a pod of keys/key-server has used its CPU up.',
    ],
    memory: ['memory', 'At the limit the kernel kills the pod of keys/key-server.'],
  }[resource] as [string, string]
  const labels = { ...service, pod: 'key-server-0', severity, signal: resource }
  const summary = `key-server-0 uses ${above}% of its ${word} limit`
  return {
    [name]: {
      fires: {
        [`${above}%`]: {
          ...onePod({ [resource]: above / 100 }, 25),
          firing: [{ labels, summary, description }],
        },
      },
      spares: {
        [`${below}%`]: onePod({ [resource]: below / 100 }, 25),
        'a container of the same name that is not ours': {
          series: without(release({ pods: [{ [resource]: above / 100 }] }), 'up{'),
          minute: 25,
        },
      },
    },
  }
}

function without(series: Series, name: string): Series {
  return Object.fromEntries(Object.entries(series).filter(([key]) => !key.startsWith(name)))
}
