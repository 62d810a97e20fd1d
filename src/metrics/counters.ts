import type { Registry } from 'prom-client'
import { Observations, registerScraped } from './scraped-metrics.ts'

/** `key`: calls for keys, but for HEAD; `other`: everything else. */
export type Handler = 'key' | 'other'

/**
 * Upper bounds in seconds. A key takes tens of microseconds; a pod that has used up its 200m of CPU waits for
 * up to 100 ms.
 */
const DURATION_BOUNDS = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
]

const LENGTH_BUCKETS = 20

/** Codes that exist at 0 from the start, so that `increase()` sees the first failure. */
const KNOWN_CODES = [200, 400, 500, 503]

/** Those of refused key calls too, but as counts alone: a histogram is 18 series more. */
const REFUSALS = [401, 403, 405, 409, 413, 429]

interface Answers {
  readonly handler: Handler
  readonly code: number
  count: number
  readonly seconds: Observations
}

/** What the service counts, in plain numbers that become Prometheus samples when they are scraped. */
export class Counters {
  readonly #answers: Record<Handler, Map<number, Answers>> = { key: new Map(), other: new Map() }
  readonly #lengths: Observations
  #keys = 0
  #bytes = 0

  /** @param maxSize the largest key in bytes, which the buckets of the lengths share out evenly. */
  constructor(registry: Registry, maxSize: number) {
    this.#lengths = new Observations(lengthBounds(maxSize))
    for (const code of KNOWN_CODES) {
      this.#answersWith('key', code)
      this.#answersWith('other', code)
    }
    for (const code of REFUSALS) this.#answersWith('key', code)
    this.#expose(registry)
  }

  /**
   * Counts an answer that is about to be sent. `startedAt`, when its request was parsed (milliseconds of
   * `performance.now()`), is left out where nobody saw it.
   */
  answered(handler: Handler, code: number, startedAt?: number): void {
    const answers = this.#answersWith(handler, code)
    answers.count++
    if (startedAt !== undefined) answers.seconds.observe((performance.now() - startedAt) / 1000)
  }

  /** Counts `count` keys of `length` bytes each that are about to be sent. */
  handedOut(length: number, count: number): void {
    this.#lengths.observe(length, count)
    this.#keys += count
    this.#bytes += length * count
  }

  #answersWith(handler: Handler, code: number): Answers {
    let answers = this.#answers[handler].get(code)
    if (answers === undefined) {
      answers = { handler, code, count: 0, seconds: new Observations(DURATION_BOUNDS, { handler, code }) }
      this.#answers[handler].set(code, answers)
    }
    return answers
  }

  #expose(registry: Registry): void {
    const all = () => [...this.#answers.key.values(), ...this.#answers.other.values()]
    registerScraped(registry, 'counter', 'http_status_codes', 'Counter of HTTP status codes', () =>
      all().map(({ handler, code, count }) => ({ labels: { code, handler }, value: count })),
    )
    const duration = 'http_request_duration_seconds'
    registerScraped(registry, 'histogram', duration, 'Seconds from a parsed request to its answer', () =>
      all().flatMap(({ code, count, seconds }) =>
        count > 0 || KNOWN_CODES.includes(code) ? seconds.samples(duration) : [],
      ),
    )
    const lengths = 'key_length_distribution'
    registerScraped(registry, 'histogram', lengths, 'Distribution of the lengths of keys in bytes', () =>
      this.#lengths.samples(lengths),
    )
    registerScraped(registry, 'counter', 'keys_generated_total', 'Keys handed out', () => [
      { value: this.#keys },
    ])
    registerScraped(registry, 'counter', 'key_bytes_generated_total', 'Bytes of keys handed out', () => [
      { value: this.#bytes },
    ])
  }
}

/** The original's buckets: each bound is the sum of the one before and the width, rounding errors and all. */
function lengthBounds(maxSize: number): number[] {
  const bounds = [0]
  for (let index = 1; index < LENGTH_BUCKETS; index++) {
    bounds.push((bounds[index - 1] as number) + maxSize / LENGTH_BUCKETS)
  }
  return bounds
}
