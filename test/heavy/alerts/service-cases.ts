import { type AlertCases, ofPod, ofService, onePod } from './case.ts'
import { counter, release } from './release.ts'

const noPod = ofService(
  'critical',
  'availability',
  'No pod of key-server answers',
  'Prometheus gets no metrics from any pod of keys/key-server.',
)

/** Pods that do not answer, what is asked for, and the source of randomness. */
export const serviceCases: AlertCases = {
  KeyServerDown: {
    fires: {
      'no pod answers': {
        series: release({ pods: [{ up: '0' }, { up: '0' }] }),
        minute: 3,
        firing: noPod,
      },
      'no target': {
        series: { 'up{job="other"}': '1' },
        minute: 3,
        firing: [
          {
            labels: { job: 'key-server', severity: 'critical', signal: 'availability' },
            summary: 'No pod of key-server answers',
            description: 'Prometheus has no target with the job key-server.',
          },
        ],
      },
    },
    spares: {
      'one of two answers': { series: release({ pods: [{ up: '0' }, {}] }), minute: 3 },
      'no answer for half a minute': onePod({ up: '1x9 0 0 1x20' }, 3),
    },
  },
  KeyServerPodDown: {
    fires: {
      'one of two': {
        series: release({ pods: [{ up: '0' }, {}] }),
        minute: 5,
        firing: ofPod(
          'high',
          'availability',
          'A pod of keys/key-server does not answer',
          'Prometheus gets no metrics from key-server-0.',
        ),
      },
    },
    spares: { 'a pod that is gone': onePod({ up: '1x9 0x2 stale' }, 5) },
  },
  KeyServerMetricsMissing: {
    fires: {
      'a pod without http_status_codes': {
        series: release({ pods: [{ counted: false }, {}] }),
        minute: 5,
        firing: ofPod(
          'high',
          'metrics',
          'key-server-0 is up without its metrics',
          'key-server-0:1123 is scraped as key-server but has no http_status_codes: all other alerts are blind to it.',
        ),
      },
    },
    spares: {
      'a pod that is down': { series: release({ pods: [{ counted: false, up: '0' }, {}] }), minute: 5 },
    },
  },
  KeyServerClientErrors: {
    fires: {
      '20%': {
        ...onePod({ calls: { 200: '0+80', 400: '0+15', 429: '0+5' } }, 2),
        firing: ofService(
          'low',
          'refusals',
          '20% of the key calls to keys/key-server are refused',
          '20% of the key calls of the last minute were answered with 4xx, more than 10%.',
        ),
      },
      'the first that a server refuses, all between two scrapes': {
        ...onePod({ calls: { 200: '0', 401: '0x6 40x20' } }, 2),
        firing: ofService(
          'low',
          'refusals',
          '100% of the key calls to keys/key-server are refused',
          '100% of the key calls of the last minute were answered with 4xx, more than 10%.',
        ),
      },
    },
    spares: {
      '9%': onePod({ calls: { 200: '0+91', 400: '0+9' } }, 2),
      'unknown paths': onePod({ other: { 404: '0+500' } }, 2),
    },
  },
  KeyServerUnusualKeyLengths: {
    fires: {
      'longer: 1,024 bytes after 5 hours of 16': {
        ...onePod({ lengths: lengths([1204, 150, 16], [60, 150, 1024]) }, 316),
        firing: ofService(
          'low',
          'lengths',
          'Keys of keys/key-server have unusual lengths',
          'The mean length of the last 15 minutes is 64 times that of the day before.',
        ),
      },
      'shorter: 16 bytes after 5 hours of 1,024': {
        ...onePod({ lengths: lengths([1204, 150, 1024], [60, 150, 16]) }, 316),
        firing: ofService(
          'low',
          'lengths',
          'Keys of keys/key-server have unusual lengths',
          'The mean length of the last 15 minutes is 0.0156 times that of the day before.',
        ),
      },
      'longer: a burst that outweighs the hours before': {
        ...onePod({ lengths: lengths([1204, 150, 16], [60, 15_000, 1024]) }, 316),
        firing: ofService(
          'low',
          'lengths',
          'Keys of keys/key-server have unusual lengths',
          'The mean length of the last 15 minutes is 64 times that of the day before.',
        ),
      },
    },
    spares: {
      '2.75 times as long': onePod({ lengths: lengths([1204, 150, 16], [60, 150, 44]) }, 316),
      '60 keys before the last 15 minutes': onePod(
        { lengths: lengths([1204, 0.05, 16], [60, 150, 1024]) },
        316,
      ),
      '60 keys in the last 15 minutes': onePod({ lengths: lengths([1204, 150, 16], [60, 1, 1024]) }, 316),
    },
  },
  KeyServerEntropyUnhealthy: {
    fires: {
      'for 2 minutes': {
        ...onePod({ entropyHealthy: '0' }, 2),
        firing: ofPod(
          'critical',
          'entropy',
          'A pod of keys/key-server has no randomness',
          'The source of randomness of key-server-0 fails its self-test; it refuses all keys.',
        ),
      },
    },
    spares: { 'for half a minute': onePod({ entropyHealthy: '0x2 1x20' }, 2) },
  },
  KeyServerEntropyBlockRejected: {
    fires: {
      'one block': {
        ...onePod({ blocksRejected: counter([40, 0], [1, 1], [60, 0]) }, 20),
        firing: ofPod(
          'medium',
          'entropy',
          'A pod of keys/key-server threw random bytes away',
          'Blocks of key-server-0 failed the self-test within the last hour; none was served.',
        ),
      },
    },
    spares: { 'one block long ago': onePod({ blocksRejected: '3' }, 20) },
  },
}

/** Phases of so many steps, keys a step and bytes a key. */
function lengths(...phases: readonly (readonly [steps: number, keys: number, bytes: number])[]) {
  return {
    sum: counter(...phases.map(([steps, keys, bytes]) => [steps, keys * bytes] as const)),
    count: counter(...phases.map(([steps, keys]) => [steps, keys] as const)),
  }
}
