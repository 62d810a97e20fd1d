import type { LoadResult } from './load.ts'
import { lineChart } from './plot.ts'
import { markdownTable } from './report.ts'
import { median, round } from './statistics.ts'

/** What the original's guide estimates for one pod, by CPU and by memory. */
const ORIGINAL_ESTIMATE = { cpu: 13, memory: 42 }
/** The share of what a pod carries that is planned for; the rest is for peaks and for a pod that is away. */
const PLANNED_SHARE = 0.7
const LOADS = [100, 1000, 10_000, 50_000, 100_000]

/** Bytes of the keys by which pods are compared and replicas counted. */
export const LENGTH = 32

/** What one contestant was seen to do in the pod; what an interrupted run did not reach is missing. */
export interface Figures {
  readyMs?: number
  rates: { length: number; rate: number; p50: number; p95: number; p99: number }[]
  latencies: ({ share: number } & LoadResult)[]
  memory: { connections: number; memoryMiB: number }[]
  /** Requests a second of each turn against the other server. */
  turns: number[]
  idle?: { cpuMsPerSecond: number; memoryMiB: number }
  soak: { second: number; memoryMiB: number }[]
  memoryKills?: number
}

/** The report's sections in Markdown: of this server, and beside it the Go peer where there is one. */
export function sections(own: Figures, go: Figures | undefined): string[] {
  const rate = own.rates.find(({ length }) => length === LENGTH)?.rate ?? Number.NaN
  const ratios = own.turns.map((ownRate, turn) => ownRate / (go?.turns[turn] ?? Number.NaN))
  return [
    `### One pod carries\n\n${markdownTable(
      ['key length', 'requests/s', 'p50 ms', 'p95 ms', 'p99 ms'],
      own.rates.map(({ length, rate, p50, p95, p99 }) => [
        `${length} bytes`,
        round(rate),
        round(p50),
        round(p95),
        round(p99),
      ]),
    )}`,
    `The original's guide estimates ${ORIGINAL_ESTIMATE.cpu} requests a second by CPU and ${ORIGINAL_ESTIMATE.memory} by memory.`,
    go === undefined
      ? 'The Go peer could not be measured here.'
      : `The Go peer in a pod of its own, in turn with this server: ${round(median(go.turns))} requests/s of ${LENGTH} bytes; this server does ${round(median(ratios))} (${round(Math.min(...ratios))} to ${round(Math.max(...ratios))}) times as many. Go is ready in ${round(go.readyMs ?? Number.NaN)} ms.`,
    `Ready ${round(own.readyMs ?? Number.NaN)} ms after the process starts. Killed for memory: ${own.memoryKills ?? '–'} times.`,
    `### Latency below the limit (${LENGTH} bytes)\n\n${markdownTable(
      ['share of the most', 'requests/s', 'errors', 'p50 ms', 'p95 ms', 'p99 ms'],
      own.latencies.map(({ share, requests, seconds: took, errors, p50, p95, p99 }) => [
        `${share * 100} %`,
        round(requests / took),
        String(errors),
        round(p50),
        round(p95),
        round(p99),
      ]),
    )}`,
    `### Memory and idling\n\n${markdownTable(
      ['state', 'memory of the cgroup, MiB'],
      [
        ...own.memory.map(({ connections, memoryMiB }) => [`${connections} connections`, round(memoryMiB)]),
        ['idle', round(own.idle?.memoryMiB ?? Number.NaN)],
      ],
    )}\nIdle, with the scrapes, it spends ${round(own.idle?.cpuMsPerSecond ?? Number.NaN)} ms of CPU a second.`,
    `### Replicas for a load (${LENGTH} bytes)\n\nreplicas = ⌈ load ÷ (${PLANNED_SHARE} × ${round(rate)}) ⌉\n\n${markdownTable(
      ['requests/s', 'replicas'],
      LOADS.map((load) => [round(load), String(Math.ceil(load / (PLANNED_SHARE * rate)))]),
    )}`,
  ]
}

/** The memory of a pod over time under full load, as SVG. */
export function soakPlot({ soak: points }: Figures): string {
  const minutes = points.map(({ second }) => String(Math.round(second / 6) / 10))
  const values = points.map(({ memoryMiB }) => Number(memoryMiB.toFixed(1)))
  return lineChart('Memory of the pod under full load', 'MiB', minutes, [{ name: 'cgroup memory', values }])
}
