import type { Metric, Registry } from 'prom-client'

type Labels = Readonly<Record<string, string | number>>

/** One line of a scrape. */
export interface Sample {
  readonly value: number
  readonly labels?: Labels
  /** Where it differs from the metric's own, as in a histogram's `_bucket`. */
  readonly metricName?: string
}

/**
 * Adds a metric to `registry` whose samples are read when it is scraped. The client's own classes look their
 * labels up on every call, which costs more than making the key that is counted.
 */
export function registerScraped(
  registry: Registry,
  type: 'counter' | 'gauge' | 'histogram',
  name: string,
  help: string,
  samples: () => readonly Sample[],
): void {
  const get = async () => ({ name, help, type, aggregator: 'sum', values: samples() })
  // A registry asks no more of a metric than its name and `get`; its type asks for one of the client's classes.
  registry.registerMetric({ name, get } as unknown as Metric<string>)
}

/** The observations of one label set of a histogram. */
export class Observations {
  readonly #bounds: readonly number[]
  readonly #labels: Labels
  readonly #counts: number[]
  #sum = 0

  /** @param bounds the buckets' upper bounds, ascending, without +Inf. */
  constructor(bounds: readonly number[], labels: Labels = {}) {
    this.#bounds = bounds
    this.#labels = labels
    this.#counts = new Array(bounds.length + 1).fill(0)
  }

  /** Counts `value` as seen `times` times. */
  observe(value: number, times = 1): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] as number) + times
    this.#sum += value * times
  }

  /** The samples of a histogram of that name. */
  samples(name: string): Sample[] {
    const labels = this.#labels
    let count = 0
    const buckets = this.#counts.map((inBucket, index) => {
      count += inBucket
      const le = this.#bounds[index] ?? '+Inf'
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }
}
