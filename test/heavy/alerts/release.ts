/** Series of one release in promtool's notation, by name and labels. */
export type Series = Readonly<Record<string, string>>

/** How often samples follow each other, in seconds. */
export const STEP = 15

/** What a pod does in a step of 15 s: each is promtool's notation of one sample after the other, without its length. */
export interface PodTraffic {
  readonly up?: string
  /** Key calls by status code; others than those are 0. */
  readonly calls?: Readonly<Record<string, string>>
  /** Calls that are no key calls, by status code. */
  readonly other?: Readonly<Record<string, string>>
  /** Key calls by the bucket (upper bound in seconds) that their time falls into. */
  readonly durations?: Readonly<Record<string, string>>
  readonly lengths?: { readonly sum: string; readonly count: string }
  readonly entropyHealthy?: string
  readonly blocksRejected?: string
  /** What a server with -unique tells. */
  readonly keySpace?: KeySpaceSamples
  /** More series of the pod. */
  readonly more?: readonly (readonly [metric: string, labels: Record<string, string>, samples: string])[]
  /** Shares of the limits. */
  readonly cpu?: number
  readonly memory?: number
  /** Whether the server exposes its counter of status codes. */
  readonly counted?: boolean
}

/** Keys by length, and what is not by length; 0 where nothing is said. */
interface KeySpaceSamples {
  readonly left?: Readonly<Record<string, string>>
  readonly used?: Readonly<Record<string, string>>
  readonly lost?: Readonly<Record<string, string>>
  readonly fenced?: string
  readonly storeErrors?: string
  /** Seconds from the start of the samples to the end of the period; none without a policy. */
  readonly periodEnd?: string
  readonly webhooks?: Readonly<Record<string, { readonly givenUp?: string; readonly disabled?: string }>>
}

interface Release {
  readonly namespace?: string
  readonly pods?: readonly PodTraffic[]
  readonly replicas?: { readonly wanted: string; readonly available: string }
}

const CPU_LIMIT = 0.2
const MEMORY_LIMIT = 134_217_728
const BOUNDS = ['0.0001', '0.1', '0.25', '0.5', '1', '2.5', '+Inf']

/** A release whose pods do well where nothing else is said: ten keys a second each. */
export function release({ namespace = 'keys', pods = [{}, {}], replicas }: Release = {}): Series {
  const size = String(pods.length)
  const { wanted, available } = replicas ?? { wanted: size, available: size }
  const labels = `{namespace="${namespace}",deployment="key-server",job="kube-state-metrics",service="ksm"}`
  return Object.assign(
    {
      [`kube_deployment_spec_replicas${labels}`]: wanted,
      [`kube_deployment_status_replicas_available${labels}`]: available,
    },
    ...pods.map((traffic, index) => pod(namespace, `key-server-${index}`, traffic)),
  )
}

/** The labels that a ServiceMonitor gives to all that is scraped from a pod. */
export function target(pod: string, namespace = 'keys'): Record<string, string> {
  return {
    container: 'key-server',
    endpoint: 'http',
    instance: `${pod}:1123`,
    job: 'key-server',
    namespace,
    pod,
    service: 'key-server',
  }
}

function pod(namespace: string, name: string, traffic: PodTraffic): Series {
  const {
    up = '1',
    calls = {},
    other = {},
    durations = { '0.0001': '0+150' },
    lengths = { sum: '0+2400', count: '0+150' },
    entropyHealthy = '1',
    blocksRejected = '0',
    cpu = 0.3,
    memory = 0.5,
    counted = true,
    keySpace,
    more = [],
  } = traffic
  const labels = (more: Record<string, string> = {}) => text({ ...target(name, namespace), ...more })
  const known = { 200: '0+150', 400: '0', 500: '0', 503: '0' }
  const refusals = { 401: '0', 403: '0', 405: '0', 409: '0', 413: '0', 429: '0' }
  const container = text({ container: 'key-server', namespace, pod: name })
  const limit = (resource: string) => text({ container: 'key-server', namespace, pod: name, resource })
  const series: Record<string, string> = {
    [`up${labels()}`]: up,
    [`key_length_distribution_sum${labels()}`]: lengths.sum,
    [`key_length_distribution_count${labels()}`]: lengths.count,
    [`entropy_healthy${labels()}`]: entropyHealthy,
    [`entropy_self_test_failures_total${labels({ test: 'repetition_count' })}`]: blocksRejected,
    [`entropy_self_test_failures_total${labels({ test: 'source_error' })}`]: '0',
    [`container_cpu_usage_seconds_total${container}`]: `0+${cpu * CPU_LIMIT * STEP}`,
    [`container_memory_working_set_bytes${container}`]: String(memory * MEMORY_LIMIT),
    [`kube_pod_container_resource_limits${limit('cpu')}`]: String(CPU_LIMIT),
    [`kube_pod_container_resource_limits${limit('memory')}`]: String(MEMORY_LIMIT),
  }
  const count = (handler: string, counts: Record<string, string>) => {
    for (const [code, samples] of Object.entries(counts)) {
      series[`http_status_codes${labels({ code, handler })}`] = samples
    }
  }
  for (const [metric, own, samples] of more) series[`${metric}${labels(own)}`] = samples
  if (keySpace) {
    const {
      left = {},
      used = {},
      lost = {},
      fenced = '0',
      storeErrors = '0',
      periodEnd,
      webhooks = {},
    } = keySpace
    series[`keyspace_fenced${labels()}`] = fenced
    series[`keyspace_store_errors_total${labels()}`] = storeErrors
    if (periodEnd) series[`keyspace_period_end_timestamp_seconds${labels()}`] = periodEnd
    for (const [webhook, { givenUp = '0', disabled = '0' }] of Object.entries(webhooks)) {
      series[`webhook_notices_given_up${labels({ webhook })}`] = givenUp
      series[`webhook_disabled${labels({ webhook })}`] = disabled
    }
    for (const length of Object.keys(left)) {
      series[`keyspace_left_keys${labels({ length })}`] = left[length] ?? '0'
      series[`keyspace_used_keys${labels({ length })}`] = used[length] ?? '0'
      series[`keyspace_lost_keys${labels({ length })}`] = lost[length] ?? '0'
    }
  }
  if (counted) {
    count('key', { ...known, ...refusals, ...calls })
    count('other', { ...known, 200: '0+3', ...other })
  }
  // Cumulative, as `le` says: a bucket holds what the smaller ones hold too.
  for (const [bound, samples] of Object.entries(durations)) {
    for (const le of BOUNDS.slice(BOUNDS.indexOf(bound))) {
      series[`http_request_duration_seconds_bucket${labels({ handler: 'key', code: `from ${bound}`, le })}`] =
        samples
    }
  }
  return series
}

/** A counter that grows by so much at each of so many steps, phase after phase. */
export function counter(...phases: readonly (readonly [steps: number, growth: number])[]): string {
  let value = 0
  return phases
    .map(([steps, growth]) => {
      const samples = `${value}+${growth}x${steps - 1}`
      value += growth * steps
      return samples
    })
    .join(' ')
}

function text(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels).map(([name, value]) => `${name}="${value}"`)}}`
}
