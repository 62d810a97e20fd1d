import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'

/** Those of the client's default metrics that tell an operator something; the others cost at every scrape. */
const WANTED =
  /^(process_(cpu|start_time|resident|virtual|open_fds|max_fds)|nodejs_(eventloop_lag|heap_size|external_memory|gc|version))/

/**
 * Milliseconds between two looks at the event loop, which every delay that is reported holds too. A rarer timer costs
 * an idle process less, but misses calls that hold the loop for tens of milliseconds.
 */
const EVENT_LOOP_TIMER_MS = 10

let collected: Registry | undefined

/**
 * Adds metrics of the process to `registry`. They are collected once for all apps of a process, because the
 * client's collectors have timers and observers that nothing stops.
 */
export function registerProcessMetrics(registry: Registry): void {
  if (collected === undefined) {
    collected = new Registry()
    collectDefaultMetrics({
      register: collected,
      eventLoopMonitoringPrecision: EVENT_LOOP_TIMER_MS,
      // The utilisation of the event loop is not wanted, so its sampling is made as rare as can be.
      eventLoopUtilizationTimeout: 2 ** 31 - 1,
    })
  }
  for (const { name } of collected.getMetricsAsArray()) {
    if (WANTED.test(name)) registry.registerMetric(collected.getSingleMetric(name) as Metric<string>)
  }
}
