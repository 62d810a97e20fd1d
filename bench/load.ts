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
  --connections N    load and stress: 1 to 10000 (default: load 64, stress 1024)
  --rate N           load only: requests a second in all (default: as many as there can be)
`
const HEAD = ['connections', 'requests/s', 'errors', 'p50 ms', 'p95 ms', 'p99 ms']

const modes = {
  load: { run: load, seconds: '10', connections: '64', takes: ['connections', 'rate'] },
  stress: { run: stress, seconds: '60', connections: '1024', takes: ['connections'] },
  idle: { run: idle, seconds: '30', connections: '1', takes: [] as string[] },
}

interface Options {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  readonly rate: number | undefined
}

const { mode, options } = readCommandLine()
await runCleanly(async (signal) => {
  await assertAnswering(options.url, signal)
  await mode.run(options, signal)
})

async function load({ rate, ...plan }: Options, signal: AbortSignal): Promise<void> {
  const rows: string[][] = []
  await summarise(HEAD, rows, signal, async () => {
    const result = await sendLoad(rate === undefined ? plan : { ...plan, rate }, signal)
    rows.push(row(plan.connections, result))
    if (result.errors > 0) await assertAnswering(plan.url, signal)
  })
}

async function stress({ url, seconds, connections }: Options, signal: AbortSignal): Promise<void> {
  const steps = Math.floor(Math.log2(connections)) + 1
  const plan = { url, seconds: Math.max(1, Math.floor(seconds / steps)) }
  const rows: string[][] = []
  await summarise(HEAD, rows, signal, async () => {
    for (let step = 0; step < steps; step++) {
      progress(`step ${step + 1} of ${steps}: ${2 ** step} connections for ${plan.seconds} s`)
      const result = await sendLoad({ ...plan, connections: 2 ** step }, signal)
      rows.push(row(2 ** step, result))
      if (result.errors > 0) await assertAnswering(url, signal)
    }
  })
}

async function idle({ url, seconds }: Options, signal: AbortSignal): Promise<void> {
  const before = await scrape(url)
  const times: number[] = []
  const rows: string[][] = []
  await summarise(['CPU ms/s', 'memory MiB', 'p50 ms', 'p95 ms', 'p99 ms'], rows, signal, async () => {
    try {
      while (times.length < seconds) {
        const start = performance.now()
        await assertAnswering(url, signal)
        times.push(performance.now() - start)
        await sleep(1000, undefined, { signal })
      }
    } finally {
      const after = await scrape(url).catch(() => ({ cpuSeconds: Number.NaN, memoryMiB: Number.NaN }))
      const spent = ((after.cpuSeconds - before.cpuSeconds) / times.length) * 1000
      const percentiles = [0.5, 0.95, 0.99].map((share) => round(percentile(times, share)))
      if (times.length > 0) rows.push([round(spent), round(after.memoryMiB), ...percentiles])
    }
  })
}

/** Prints the rows that `measure` has made, marked as partial where it fails. */
async function summarise(
  head: readonly string[],
  rows: readonly string[][],
  signal: AbortSignal,
  measure: () => Promise<void>,
): Promise<void> {
  let end = ''
  try {
    await measure()
  } catch (error) {
    const reason: Error = signal.aborted ? signal.reason : error
    end = `\npartial: ${reason.message}\n`
    throw reason
  } finally {
    if (rows.length > 0) process.stdout.write(markdownTable(head, rows) + end)
  }
}

/** @throws a sentence that says what is there instead. Redirects are not followed: nobody named their address. */
async function assertAnswering(url: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(url, { signal, redirect: 'manual' }).catch(() => {
    signal.throwIfAborted()
    throw new Error(`nothing answers at ${url}: start a server there, or name another with --url`)
  })
  await answer.arrayBuffer()
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: name an URL that answers 200 with --url`)
}

async function scrape(url: string): Promise<{ cpuSeconds: number; memoryMiB: number }> {
  const text = await (await fetch(new URL('/metrics', url), { redirect: 'manual' })).text()
  const sample = (name: string) => {
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]
    if (value === undefined) throw new Error(`idle needs ${name} in /metrics, and ${url} has none there`)
    return Number(value)
  }
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
  if (values.help) {
    process.stdout.write(USAGE)
    process.exit()
  }
  for (const flag of ['connections', 'rate'] as const) {
    if (values[flag] === undefined || mode.takes.includes(flag)) continue
    return refuse(`--${flag} does not go with ${name}`)
  }
  const {
    url = 'http://127.0.0.1:1123/key/32',
    seconds = mode.seconds,
    connections = mode.connections,
    rate,
  } = values
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return refuse(`--url must be an http URL, not "${url}"`)
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
