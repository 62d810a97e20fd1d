import { setTimeout as sleep } from 'node:timers/promises'
import { progress, runCleanly } from './lib/clean-run.ts'
import { type LoadResult, sendLoad } from './lib/load.ts'
import { readOptions, refuse, wholeNumber } from './lib/options.ts'
import { markdownTable } from './lib/report.ts'
import { percentile, round } from './lib/statistics.ts'

const USAGE = `Usage, for a server that is already running:

  npm run load -- [flags]     --connections at a time for --seconds
  npm run stress -- [flags]   1, 2, 4 … up to --connections at a time, for --seconds in all
  npm run idle -- [flags]     one request a second for --seconds, and what the server spends meanwhile

  --url URL          what to ask for (default http://127.0.0.1:1123/key/32)
  --seconds N        1 to 3600 (default: load 10, stress 60, idle 30)
  --connections N    1 to 10000 (default: load 64, stress 1024)
  --rate N           load only: requests a second in all (default: as many as there can be)
`
const HEAD = ['connections', 'requests/s', 'errors', 'p50 ms', 'p95 ms', 'p99 ms']

const modes = {
  load: { run: load, seconds: '10', connections: '64' },
  stress: { run: stress, seconds: '60', connections: '1024' },
  idle: { run: idle, seconds: '30', connections: '1' },
}

interface Options {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  readonly rate: number | undefined
}

const { mode, options } = readCommandLine()
await runCleanly(async (signal) => {
  const answer = await fetch(options.url, { signal }).catch(() => {
    throw new Error(`nothing answers at ${options.url}: start a server there, or name another with --url`)
  })
  if (!answer.ok)
    throw new Error(`${options.url} answers ${answer.status}: name an URL that answers 200 with --url`)
  await mode.run(options, signal)
})

async function load({ rate, ...plan }: Options, signal: AbortSignal): Promise<void> {
  const result = await sendLoad(rate === undefined ? plan : { ...plan, rate }, signal)
  process.stdout.write(markdownTable(HEAD, [row(plan.connections, result)]))
}

async function stress({ url, seconds, connections }: Options, signal: AbortSignal): Promise<void> {
  const steps = Math.floor(Math.log2(connections)) + 1
  const plan = { url, seconds: Math.max(1, Math.floor(seconds / steps)) }
  const rows: string[][] = []
  try {
    for (let step = 0; step < steps; step++) {
      progress(`step ${step + 1} of ${steps}: ${2 ** step} connections for ${plan.seconds} s`)
      rows.push(row(2 ** step, await sendLoad({ ...plan, connections: 2 ** step }, signal)))
    }
  } finally {
    process.stdout.write(markdownTable(HEAD, rows))
  }
}

async function idle({ url, seconds }: Options, signal: AbortSignal): Promise<void> {
  const before = await scrape(url)
  const times: number[] = []
  for (let second = 0; second < seconds; second++) {
    const start = performance.now()
    await (await fetch(url, { signal })).arrayBuffer()
    times.push(performance.now() - start)
    await sleep(1000, undefined, { signal })
  }
  const after = await scrape(url)
  const spent = ((after.cpuSeconds - before.cpuSeconds) / seconds) * 1000
  const [p50 = '', p95 = '', p99 = ''] = [0.5, 0.95, 0.99].map((share) => round(percentile(times, share)))
  process.stdout.write(
    markdownTable(
      ['CPU ms/s', 'memory MiB', 'p50 ms', 'p95 ms', 'p99 ms'],
      [[round(spent), round(after.memoryMiB), p50, p95, p99]],
    ),
  )
}

async function scrape(url: string): Promise<{ cpuSeconds: number; memoryMiB: number }> {
  const text = await (await fetch(new URL('/metrics', url))).text()
  const sample = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  return {
    cpuSeconds: sample('process_cpu_seconds_total'),
    memoryMiB: sample('process_resident_memory_bytes') / 1024 / 1024,
  }
}

function row(connections: number, { requests, seconds, errors, p50, p95, p99 }: LoadResult): string[] {
  return [String(connections), round(requests / seconds), String(errors), round(p50), round(p95), round(p99)]
}

function readCommandLine(): { mode: (typeof modes)[keyof typeof modes]; options: Options } {
  const [name, ...args] = process.argv.slice(2)
  if (name !== 'load' && name !== 'stress' && name !== 'idle') return refuse(USAGE)
  const mode = modes[name]
  const text = { type: 'string' } as const
  const values = readOptions(
    { url: text, seconds: text, connections: text, rate: text, help: { type: 'boolean' } },
    args,
  )
  if (values.help) return refuse(USAGE)
  const {
    url = 'http://127.0.0.1:1123/key/32',
    seconds = mode.seconds,
    connections = mode.connections,
    rate,
  } = values
  if (!URL.canParse(url) || !url.startsWith('http')) return refuse(`--url must be an http URL, not "${url}"`)
  return {
    mode,
    options: {
      url,
      seconds: wholeNumber('seconds', seconds, 3600),
      connections: wholeNumber('connections', connections, 10_000),
      rate: rate === undefined ? undefined : wholeNumber('rate', rate, 1_000_000),
    },
  }
}
