import { type AlertCases, ofService, onePod } from './case.ts'
import { counter } from './release.ts'

const slow = (severity: string, summary: string, description: string) =>
  ofService(severity, 'latency', summary, description)

/** How long key calls take. */
export const latencyCases: AlertCases = {
  KeyServerLatencyP95: {
    fires: {
      'one in 10 takes 0.25 to 0.5 s': {
        ...onePod({ durations: { 0.0001: '0+135', 0.5: '0+15' } }, 20),
        firing: slow(
          'medium',
          'Key calls to keys/key-server are slow',
          'One in 20 takes longer than 375ms (p95 of 5 minutes).',
        ),
      },
    },
    spares: {
      'one in 25': onePod({ durations: { 0.0001: '0+144', 0.5: '0+6' } }, 20),
      'some of 20 calls': onePod({ calls: { 200: '0+1' }, durations: { 0.5: '0+1' } }, 20),
    },
  },
  KeyServerLatencyP99: {
    fires: {
      'one in 50 takes 0.5 to 1 s': {
        ...onePod({ durations: { 0.0001: '0+147', 1: '0+3' } }, 20),
        firing: slow(
          'high',
          'Some key calls to keys/key-server are very slow',
          'One in 100 takes longer than 750ms (p99 of 5 minutes).',
        ),
      },
    },
    spares: {
      'one in 50 takes up to 0.5 s': onePod({ durations: { 0.0001: '0+147', 0.5: '0+3' } }, 20),
      'some of 20 calls': onePod({ calls: { 200: '0+1' }, durations: { 1: '0+1' } }, 20),
    },
  },
  KeyServerJitter: {
    fires: {
      'one in 50 takes 0.25 to 0.5 s, the others nothing': {
        ...onePod({ durations: { 0.0001: '0+147', 0.5: '0+3' } }, 20),
        firing: slow(
          'low',
          'Key calls to keys/key-server take unevenly long',
          'The slowest of 100 take 374.9ms longer than the median (p99 − p50 of 5 minutes).',
        ),
      },
    },
    spares: { 'all take 0.25 to 0.5 s': onePod({ durations: { 0.5: '0+150' } }, 20) },
  },
  KeyServerLatencySpike: {
    fires: {
      '0.1 to 0.25 s after an hour of nothing': {
        ...onePod(
          { durations: { 0.0001: counter([280, 150], [60, 0]), 0.25: counter([280, 0], [60, 150]) } },
          82,
        ),
        firing: slow(
          'low',
          'Key calls to keys/key-server take longer than an hour ago',
          'The p95 of 5 minutes is 242.5ms, over three times that of an hour ago.',
        ),
      },
    },
    spares: {
      'as slow an hour ago': onePod({ durations: { 0.25: '0+150' } }, 82),
      'not more than a throttled pod waits': onePod(
        { durations: { 0.0001: counter([280, 150], [60, 0]), 0.1: counter([280, 0], [60, 150]) } },
        82,
      ),
    },
  },
}
