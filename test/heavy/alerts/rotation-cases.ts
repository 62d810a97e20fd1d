import { type AlertCases, ofService, onePod, service } from './case.ts'
import { release } from './release.ts'

const notTold = (webhook: string) => ({
  labels: { ...service, webhook, severity: 'medium', signal: 'notices' },
  summary: 'A receiver of keys/key-server was not told of an event',
  description: `Webhook ${webhook} took a notice of the last day at none of its tries, or has answered 410 and is told nothing more.`,
})

/** Rotation, and who is told of it. Periods end at a second of promtool's clock, which begins at 0. */
export const rotationCases: AlertCases = {
  KeyServerRotationDue: {
    fires: {
      'a period that ended 20 minutes ago': {
        series: release({
          pods: [{ keySpace: { periodEnd: '600' } }, { keySpace: { periodEnd: '600' } }],
        }),
        minute: 30,
        firing: ofService(
          'high',
          'rotation',
          'keys/key-server goes on with a period that has ended',
          'The rotation has been due for 20m 0s, and no pod has done it.',
        ),
      },
    },
    spares: {
      'a period that goes on': onePod({ keySpace: { periodEnd: '7200' } }, 30),
      'clocks that are minutes apart': onePod({ keySpace: { periodEnd: '600x80 8000x80' } }, 20),
      'a pod that has not read the new period yet': {
        series: release({ pods: [{ keySpace: { periodEnd: '600' } }, { keySpace: { periodEnd: '7200' } }] }),
        minute: 30,
      },
      'no policy': onePod({ keySpace: {} }, 30),
    },
  },
  KeyServerNoticeNotDelivered: {
    fires: {
      'one more that is given up': {
        ...onePod({ keySpace: { webhooks: { 1: {}, 2: { givenUp: '3x9 4x9' } } } }, 4),
        firing: [notTold('2')],
      },
      'one more, told by a pod that began after it': {
        series: release({
          pods: [
            { keySpace: { webhooks: { 1: { givenUp: '3x9 stale' } } } },
            { keySpace: { webhooks: { 1: { givenUp: '_x12 4x9' } } } },
          ],
        }),
        minute: 5,
        firing: [notTold('1')],
      },
      'a receiver that has answered 410': {
        ...onePod({ keySpace: { webhooks: { 1: { disabled: '0x9 1x9' } } } }, 4),
        firing: [notTold('1')],
      },
    },
    spares: {
      'what was given up before the last day': onePod(
        { keySpace: { webhooks: { 1: { givenUp: '3' } } } },
        30,
      ),
      'another receiver in its place': onePod(
        { keySpace: { webhooks: { 1: { givenUp: '3x9 0x9', disabled: '1x9 0x9' } } } },
        4,
      ),
    },
  },
}
