import { progress, runCleanly } from './lib/clean-run.ts'
import { generator, type LoadResult, sendLoad } from './lib/load.ts'
import { readOptions, wholeNumber } from './lib/options.ts'
import { type Contestant, constantServer, findPeers, keyServer, uniqueKeyServer } from './lib/peers.ts'
import { barChart } from './lib/plot.ts'
import { pinned, SERVER_CORE } from './lib/programs.ts'
import { command, machine, makeFolder, markdownTable, replaceMade, writeResults } from './lib/report.ts'
import { MeasuredServer } from './lib/server.ts'
import { median, round } from './lib/statistics.ts'

interface Case {
  readonly name: string
  readonly path: string
  readonly headers?: Record<string, string>
  /** Whether the peers can do it too. */
  readonly shared: boolean
  /** Whether a server with unique keys is measured beside the one with random keys. */
  readonly unique?: boolean
  /** Whether Fastify alone is measured beside them. */
  readonly constant?: boolean
  /** As many as others have, if left out. */
  readonly connections?: number
  /** Seconds between scrapes of /metrics. */
  readonly scrapeEvery?: number
}

interface Run extends LoadResult {
  /** Seconds of user and system time that the server spent. */
  readonly cpu: number
}

interface Result {
  readonly case: string
  readonly server: string
  peakMemory: number
  readonly runs: Run[]
}

const MAX_SIZE = '1048576'
const CONNECTIONS = 64
const WARM_UP_SECONDS = 2

const cases: Case[] = [
  { name: '16 bytes', path: '/key/16', shared: true },
  { name: '32 bytes', path: '/key/32', shared: true, constant: true },
  { name: '1,024 bytes', path: '/key/1024', shared: true },
  { name: '65,536 bytes', path: '/key/65536', shared: true },
  { name: '1,048,576 bytes', path: '/key/1048576', shared: true, connections: 8 },
  { name: '32 bytes, scraped', path: '/key/32', shared: true, scrapeEvery: 5 },
  { name: '32 bytes as JSON', path: '/key/32', shared: false, headers: { accept: 'application/json' } },
  { name: '8 bytes', path: '/key/8', shared: false, unique: true },
  { name: '1,000 keys of 16 bytes', path: '/key/16?count=1000', shared: false },
]
/** Paths whose answers cost so much that a plot of them shows nothing else. */
const LARGE = /65536|1048576|count=/
const quickCases = cases.filter(
  ({ path, scrapeEvery }) => !/65536|1048576/.test(path) && scrapeEvery === undefined,
)

const options = readOptions({
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '5' },
  seconds: { type: 'string' },
  out: { type: 'string', default: 'bench/results' },
})
const rounds = wholeNumber('rounds', options.rounds, 100)
const seconds = wholeNumber('seconds', options.seconds ?? (options.quick ? '1' : '5'), 600)

makeFolder(options.out)
await runCleanly(async (signal) => {
  const { peers, missing } = findPeers()
  for (const sentence of missing) progress(sentence)
  const results: Result[] = []
  let end = 'complete'
  try {
    for (const plan of options.quick ? quickCases : cases) {
      const others = [
        ...(plan.shared ? peers : []),
        ...(plan.constant ? [constantServer] : []),
        ...(plan.unique ? [uniqueKeyServer()] : []),
      ]
      await measureCase(plan, [keyServer, ...others], results, signal)
    }
  } catch (error) {
    end = `partial: ${(error as Error).message}`
    process.exitCode = 1
  }
  report(results, end, missing)
})

/**
 * Measures the contestants in turn, A B C A B C …, so that the machine's moods fall on all alike. What is measured
 * goes into `results` at once, for a run that is interrupted.
 */
async function measureCase(
  plan: Case,
  contestants: Contestant[],
  results: Result[],
  signal: AbortSignal,
): Promise<void> {
  const entries = []
  for (const { name, command, env } of contestants) {
    signal.throwIfAborted()
    const server = await MeasuredServer.start(
      name,
      [...pinned(SERVER_CORE, command), '--max-size', MAX_SIZE],
      // No peer sheds: with 64 answers of a megabyte in flight this server would, and be measured at that.
      { MAX_ANSWER_BYTES: '0', ...env },
    )
    await load(server, plan, WARM_UP_SECONDS, signal)
    const result: Result = { case: plan.name, server: name, peakMemory: Number.NaN, runs: [] }
    results.push(result)
    entries.push({ server, result })
  }
  for (let turn = 1; turn <= rounds; turn++) {
    progress(`${plan.name}: round ${turn} of ${rounds}`)
    for (const { server, result } of entries) {
      result.runs.push(await load(server, plan, seconds, signal))
      result.peakMemory = server.peakMemory()
    }
  }
  await Promise.all(entries.map(({ server }) => server.stop()))
}

async function load(server: MeasuredServer, plan: Case, duration: number, signal: AbortSignal): Promise<Run> {
  const scrape = () =>
    void fetch(`${server.origin}/metrics`).then(
      (answer) => answer.text(),
      () => undefined,
    )
  const timer = plan.scrapeEvery === undefined ? undefined : setInterval(scrape, plan.scrapeEvery * 1000)
  if (timer !== undefined) scrape()
  const before = server.cpuSeconds()
  const { path, headers = {}, connections = CONNECTIONS } = plan
  const result = await sendLoad(
    { url: server.origin + path, seconds: duration, connections, headers },
    signal,
  ).finally(() => {
    clearInterval(timer)
    // A server that ended is the news, not what the load then met.
    server.assertRunning()
  })
  if (result.errors > 0)
    throw new Error(`${server.name} left ${result.errors} requests of ${path} without a good answer`)
  return { ...result, cpu: server.cpuSeconds() - before }
}

function report(results: readonly Result[], end: string, missing: readonly string[]): void {
  const title = `Made by \`${command('bench')}\` on ${machine()}; ${generator}, ${CONNECTIONS} connections (8 for 1,048,576 bytes), ${rounds} rounds of ${seconds} s; ${end}.`
  const text = `${title}\n\n${missing.map((sentence) => `${sentence}.\n\n`).join('')}${resultTable(results)}\n${ratioTable(results)}`
  writeResults(options.out, {
    'compare.json': `${JSON.stringify({ made: title, missing, results }, null, 2)}\n`,
    'compare.md': text,
    'compare.svg': plot(results),
  })
  process.stdout.write(text)
  if (end === 'complete' && !options.quick) {
    replaceMade('docs/explanation/performance.md', 'compare', text)
    writeResults('docs/img', { 'compare.svg': plot(results) })
  }
  progress(`Written to ${options.out}: compare.json, compare.md, compare.svg`)
}

function cpuPerRequest({ cpu, requests }: Run): number {
  return (cpu / requests) * 1e6
}

function resultTable(results: readonly Result[]): string {
  const middle = (runs: readonly Run[], figure: (run: Run) => number) => round(median(runs.map(figure)))
  const rows = results.map(({ case: name, server, peakMemory, runs }) => {
    const costs = runs.map(cpuPerRequest)
    return [
      name,
      server,
      `**${round(median(costs))}**`,
      `${round(Math.min(...costs))}–${round(Math.max(...costs))}`,
      middle(runs, (run) => run.requests / run.seconds),
      middle(runs, (run) => run.p50),
      middle(runs, (run) => run.p95),
      middle(runs, (run) => run.p99),
      round(peakMemory),
    ]
  })
  const head = [
    'case',
    'server',
    'CPU µs/request',
    'spread',
    'requests/s',
    'p50 ms',
    'p95 ms',
    'p99 ms',
    'peak MiB',
  ]
  return markdownTable(head, rows)
}

/** The server's CPU per request in units of each peer's, round by round, because rounds share the machine's mood. */
function ratioTable(results: readonly Result[]): string {
  const rows = results
    .filter(({ server }) => server !== keyServer.name)
    .map((peer) => {
      const own = results.find((result) => result.case === peer.case && result.server === keyServer.name)
      const ratios = peer.runs.map((run, index) => {
        const ownRun = own?.runs[index]
        return ownRun === undefined ? Number.NaN : cpuPerRequest(ownRun) / cpuPerRequest(run)
      })
      return [
        peer.case,
        peer.server,
        `**${round(median(ratios))}**`,
        `${round(Math.min(...ratios))}–${round(Math.max(...ratios))}`,
      ]
    })
  return markdownTable(['case', 'against', 'CPU ratio', 'spread'], rows)
}

function plot(results: readonly Result[]): string {
  const drawn = cases.filter(({ path }) => !LARGE.test(path)).map(({ name }) => name)
  const names = drawn.filter((name) => results.some((result) => result.case === name))
  const servers = [...new Set(results.map(({ server }) => server))]
  const series = servers.map((server) => ({
    name: server,
    values: names.map((name) => {
      const found = results.find((result) => result.case === name && result.server === server)
      return found === undefined ? null : Number(median(found.runs.map(cpuPerRequest)).toFixed(1))
    }),
  }))
  return barChart('CPU time per request (less is better)', 'µs', names, series)
}
