import { type AlertCases, ofPod, ofService, onePod, service } from './case.ts'
import { counter, release } from './release.ts'

const runsOut = (left: string) => ({
  labels: { ...service, length: '2', severity: 'medium', signal: 'key-space' },
  summary: 'keys/key-server runs out of unique 2-byte keys',
  description: `${left} of them are left in this period; once they are used up, calls for them get 409.`,
})

/** A failure a read, which is every 10 s. */
const AWAY = '0+1.5'

/** Unique keys: what is left of them, and their store. */
export const keySpaceCases: AlertCases = {
  KeyServerKeySpaceRunningOut: {
    fires: {
      '5%, with another length untouched': {
        ...onePod({ keySpace: { left: { 2: '3000', 3: '16777216' }, used: { 2: '57000' } } }, 10),
        firing: [runsOut('5%')],
      },
      'keys that are lost, as that pod knows which has read last': {
        series: release({
          pods: [
            { keySpace: { left: { 2: '3000' }, used: { 2: '17000' }, lost: { 2: '40000' } } },
            { keySpace: { left: { 2: '3000' }, used: { 2: '16000' }, lost: { 2: '39000' } } },
          ],
        }),
        minute: 10,
        firing: [runsOut('5%')],
      },
    },
    spares: {
      '11%': onePod({ keySpace: { left: { 2: '7000' }, used: { 2: '56000' } } }, 10),
      'a rotation in time': onePod(
        { keySpace: { left: { 2: '3000x16 60000x60' }, used: { 2: '57000x16 0x60' } } },
        10,
      ),
      'a server without -unique': onePod({}, 10),
    },
  },
  KeyServerKeySpaceUsedUp: {
    fires: {
      'none left': {
        ...onePod({ keySpace: { left: { 1: '0', 2: '60000' }, used: { 1: '255' } } }, 3),
        firing: [
          {
            labels: { ...service, length: '1', severity: 'high', signal: 'key-space' },
            summary: 'keys/key-server has no unique 1-byte key left',
            description: 'All are used, lost or leased; calls for them get 409 until the next period.',
          },
        ],
      },
    },
    spares: {
      'the last one': onePod({ keySpace: { left: { 1: '1' }, used: { 1: '255' } } }, 3),
      'none by what one pod of two has read': {
        series: release({
          pods: [
            { keySpace: { left: { 1: '0' }, used: { 1: '255' } } },
            { keySpace: { left: { 1: '9' }, used: { 1: '246' } } },
          ],
        }),
        minute: 3,
      },
    },
  },
  KeyServerStoreAway: {
    fires: {
      'from one of two pods': {
        series: release({ pods: [{ keySpace: { storeErrors: AWAY } }, { keySpace: {} }] }),
        minute: 6,
        firing: ofPod(
          'high',
          'store',
          "A pod of keys/key-server can't use its store of unique keys",
          '12 operations of key-server-0 failed in 2 minutes; without the store for a minute it answers 503 for keys of fewer than 16 bytes.',
        ),
      },
    },
    spares: {
      'some that fail': onePod({ keySpace: { storeErrors: '0+0.5' } }, 6),
      'a restart of the database': onePod(
        { keySpace: { storeErrors: counter([16, 0], [2, 2], [40, 0]) } },
        6,
      ),
    },
  },
  KeyServerKeySpaceFenced: {
    fires: {
      'at once': {
        series: release({ pods: [{ keySpace: { fenced: '0x9 1x9' } }, { keySpace: { fenced: '0' } }] }),
        minute: 3,
        firing: ofService(
          'critical',
          'store',
          'keys/key-server deals no unique keys before a rotation',
          'The store went back to an older state, was emptied or replaced. Calls for keys of fewer than 16 bytes get 503.',
        ),
      },
    },
    spares: { 'after a rotation': onePod({ keySpace: { fenced: '1x9 0x9' } }, 3) },
  },
}
