import { type AlertCases, ofService, onePod } from './case.ts'
import { counter, type PodTraffic, release } from './release.ts'

const DAY = 86_400

type More = NonNullable<PodTraffic['more']>[number]

const auth = (result: string, samples: string): More => ['auth_calls_total', { result }, samples]
const limited = (by: string, samples: string): More => ['rate_limit_refused_total', { by }, samples]
const gauge = (metric: string, samples: string): More => [metric, {}, samples]
const pod = (...more: readonly More[]): PodTraffic => ({ more })

/** API keys, rate limits and TLS. */
export const accessCases: AlertCases = {
  KeyServerCredentialsRefused: {
    fires: {
      'guesses, spread over two pods and what is wrong with them': {
        series: release({
          pods: [pod(auth('unknown', '0+3')), pod(auth('malformed', '0+2'), auth('missing', '0+1'))],
        }),
        minute: 12,
        firing: ofService(
          'medium',
          'credentials',
          'keys/key-server refuses many credentials',
          '120 calls of the last 5 minutes had no valid API key: someone guesses, or a client has an old one.',
        ),
      },
    },
    spares: {
      'calls with a valid key, and such that lack a scope': onePod(
        pod(auth('ok', '0+100'), auth('forbidden', '0+100'), auth('unknown', '0+4')),
        12,
      ),
      'a burst between two scrapes': onePod(pod(auth('expired', counter([9, 0], [1, 400], [60, 0]))), 6),
      'a counter that begins anew': onePod(pod(auth('unknown', '9000x20 0x40')), 8),
    },
  },
  KeyServerRateLimited: {
    fires: {
      'a fifth of the calls': {
        ...onePod({ calls: { 200: '0+80', 429: '0+20' }, more: [limited('client', '0+20')] }, 20),
        firing: ofService(
          'low',
          'rate-limit',
          'keys/key-server limits many calls',
          '400 calls of the last 5 minutes, over 10% of all, were one too many for their address or client.',
        ),
      },
    },
    spares: {
      'a twentieth': onePod({ calls: { 200: '0+380', 429: '0+20' }, more: [limited('address', '0+20')] }, 20),
      'a fifth of few': onePod({ calls: { 200: '0+4', 429: '0+2' }, more: [limited('client', '0+2')] }, 20),
      'a burst of some minutes': onePod(
        { calls: { 200: '0+80' }, more: [limited('client', counter([10, 0], [16, 40], [60, 0]))] },
        10,
      ),
    },
  },
  KeyServerRateLimitStoreAway: unhealthy('rate_limit_store_healthy', [
    'medium',
    'rate-limit',
    "A pod of keys/key-server can't use its store of rate limits",
    'Each pod without it limits by itself, so that all pods together let more through.',
  ]),
  KeyServerApiKeysFileBroken: unhealthy('api_keys_file_healthy', [
    'high',
    'files',
    "A pod of keys/key-server can't use its file of API keys",
    'The keys before it are in use, those that were revoked since among them; a pod that starts now fails.',
  ]),
  KeyServerTlsFilesBroken: unhealthy('tls_files_healthy', [
    'high',
    'files',
    "A pod of keys/key-server can't use its certificate files",
    'The certificate before them is in use; a pod that starts now fails.',
  ]),
  KeyServerCertificateExpires14Days: expires(14, 'medium', 90, '13d 21h 30m 0s'),
  KeyServerCertificateExpires2Days: expires(2, 'critical', 30, '1d 21h 30m 0s'),
}

type Texts = [severity: string, signal: string, summary: string, description: string]

function unhealthy(metric: string, texts: Texts): AlertCases[string] {
  return {
    fires: {
      'one pod of two': {
        series: release({ pods: [pod(gauge(metric, '0')), pod(gauge(metric, '1'))] }),
        minute: 7,
        firing: ofService(...texts),
      },
    },
    spares: {
      'some minutes': onePod(pod(gauge(metric, '1x8 0x16 1x60')), 6),
      'all pods well': onePod(pod(gauge(metric, '1')), 10),
      'a server that has none': onePod({}, 10),
    },
  }
}

function expires(days: number, severity: string, minute: number, left: string): AlertCases[string] {
  const firing = (description: string) =>
    ofService(severity, 'certificate', 'The certificate of keys/key-server expires', description)
  const certificate = (left: number) =>
    pod(gauge('tls_certificate_expiry_timestamp_seconds', String(minute * 60 + left)))
  return {
    fires: {
      'the older certificate of two pods': {
        series: release({ pods: [certificate(days * DAY - 9_000), certificate(90 * DAY)] }),
        minute,
        firing: firing(`In ${left}; from then on clients that check it can not call.`),
      },
      'one that has expired': {
        ...onePod(certificate(-60), minute),
        firing: firing('It has expired: clients that check it can not call.'),
      },
    },
    spares: { 'a minute before': onePod(certificate(days * DAY + 60), minute) },
  }
}
