import { once } from 'node:events'
import { createHistogram } from 'node:perf_hooks'
import autocannon, { type Result } from 'autocannon'
import type { LoadPlan, LoadResult } from './load.ts'

// A program of its own, so that the load does not run in the process that measures.
const plan: LoadPlan = JSON.parse(process.argv[2] ?? '{}')
const times = createHistogram()
const instance = autocannon(
  {
    url: plan.url,
    duration: plan.seconds,
    connections: plan.connections,
    headers: { ...plan.headers },
    ...(plan.rate === undefined ? {} : { overallRate: plan.rate }),
  },
  () => undefined,
)
// autocannon's own percentiles leave p95 out, and are whole milliseconds.
instance.on('response', (_client, _status, _bytes, milliseconds) => {
  times.record(Math.max(1, Math.round(milliseconds * 1000)))
})
const [result] = (await once(instance, 'done')) as [Result]
const figures: LoadResult = {
  requests: result.requests.total,
  seconds: result.duration,
  errors: result.non2xx + result.errors + result.timeouts,
  p50: times.percentile(50) / 1000,
  p95: times.percentile(95) / 1000,
  p99: times.percentile(99) / 1000,
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
