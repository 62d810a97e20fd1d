import { setTimeout as sleep } from 'node:timers/promises'
import { type Figures, LENGTH, sections, soakPlot } from './lib/capacity-report.ts'
import { Cgroup, POD } from './lib/cgroup.ts'
import { progress, runCleanly } from './lib/clean-run.ts'
import { sendLoad } from './lib/load.ts'
import { readOptions, wholeNumber } from './lib/options.ts'
import { type Contestant, findPeers, keyServer } from './lib/peers.ts'
import { pinned, SERVER_CORE } from './lib/programs.ts'
import { command, machine, makeFolder, replaceMade, writeResults } from './lib/report.ts'
import { MeasuredServer } from './lib/server.ts'
import { median, round } from './lib/statistics.ts'

const LENGTHS = [16, 32, 256, 1024]
const SHARES = [0.1, 0.5, 0.9]
const CONNECTIONS = [1, 64, 512, 1000]
const SCRAPE_SECONDS = 5
/** Turns that this server and the Go peer take against each other. */
const TURNS = 5

const options = readOptions({
  quick: { type: 'boolean', default: false },
  soak: { type: 'string' },
  out: { type: 'string', default: 'bench/results' },
})
const seconds = options.quick ? 2 : 10
const soakMinutes = options.soak === undefined ? 0 : wholeNumber('soak', options.soak.replace(/m$/, ''), 600)

interface Pod {
  readonly server: MeasuredServer
  readonly cgroup: Cgroup
}

makeFolder(options.out)
await runCleanly(async (signal) => {
  const { peers, missing } = findPeers()
  for (const sentence of missing) progress(sentence)
  const go = peers.find(({ name }) => name === 'Go')
  const own = emptyFigures()
  const other = emptyFigures()
  let end = 'complete'
  try {
    own.readyMs = await measureReadiness(keyServer, signal)
    if (go !== undefined) other.readyMs = await measureReadiness(go, signal)
    await inPod(keyServer, own, signal, async (pod) => {
      await measureRates(pod, own, LENGTHS, signal)
      await measureLatencies(pod, own, signal)
      await measureMemory(pod, own, signal)
      await measureIdle(pod, own, signal)
      if (go !== undefined) {
        await inPod(go, other, signal, (goPod) => measureInTurn([pod, goPod], [own, other], signal))
      }
      await soak(pod, own, signal)
    })
  } catch (error) {
    end = `partial: ${(error as Error).message}`
    process.exitCode = 1
  }
  report(own, go === undefined ? undefined : other, end)
})

function emptyFigures(): Figures {
  return { rates: [], latencies: [], memory: [], turns: [], soak: [] }
}

/** Starts a contestant in a pod of its own, which ends with `use`. */
async function withPod(
  { name, command, env }: Contestant,
  signal: AbortSignal,
  use: (pod: Pod) => Promise<void>,
): Promise<void> {
  signal.throwIfAborted()
  const cgroup = Cgroup.create(`key-server-bench-${process.pid}-${name}`, POD)
  let server: MeasuredServer | undefined
  try {
    progress(`${name}: starting in ${POD.milliCpu}m CPU and ${POD.memoryMiB} MiB`)
    server = await MeasuredServer.start(name, cgroup.enter(pinned(SERVER_CORE, command)), env)
    await use({ server, cgroup })
  } finally {
    await server?.stop()
    cgroup.remove()
  }
}

/** The median of the milliseconds to readiness. */
async function measureReadiness(contestant: Contestant, signal: AbortSignal): Promise<number> {
  const times: number[] = []
  for (let start = 0; start < (options.quick ? 1 : 5); start++) {
    await withPod(contestant, signal, async ({ server }) => {
      times.push(server.readyMs)
    })
  }
  return median(times)
}

/** Measures in a pod that is warm and scraped. */
function inPod(
  contestant: Contestant,
  figures: Figures,
  signal: AbortSignal,
  measure: (pod: Pod) => Promise<void>,
): Promise<void> {
  return withPod(contestant, signal, async (pod) => {
    const { origin, name } = pod.server
    const scrapes = setInterval(() => {
      fetch(`${origin}/metrics`)
        .then((answer) => answer.text())
        .catch(() => undefined)
    }, SCRAPE_SECONDS * 1000)
    try {
      progress(`${name}: warming up`)
      await sendLoad(
        { url: `${origin}/key/${LENGTH}`, seconds: options.quick ? 4 : 10, connections: 64 },
        signal,
      )
      await measure(pod)
    } finally {
      clearInterval(scrapes)
    }
    figures.memoryKills = pod.cgroup.memoryKills()
  })
}

/** The pods take turns, A B A B …, so that the machine's moods fall on both alike. */
async function measureInTurn(
  pods: readonly Pod[],
  figures: readonly Figures[],
  signal: AbortSignal,
): Promise<void> {
  for (let turn = 1; turn <= (options.quick ? 1 : TURNS); turn++) {
    for (const [index, { server }] of pods.entries()) {
      progress(`${server.name}: as many keys of ${LENGTH} bytes as it can, turn ${turn}`)
      const plan = { url: `${server.origin}/key/${LENGTH}`, seconds, connections: 64 }
      const { requests, seconds: took } = await sendLoad(plan, signal)
      figures[index]?.turns.push(requests / took)
    }
  }
}

async function measureRates(
  { server }: Pod,
  figures: Figures,
  lengths: number[],
  signal: AbortSignal,
): Promise<void> {
  for (const length of lengths) {
    progress(`${server.name}: as many keys of ${length} bytes as it can`)
    const { requests, ...result } = await sendLoad(
      { url: `${server.origin}/key/${length}`, seconds, connections: 64 },
      signal,
    )
    const { p50, p95, p99 } = result
    figures.rates.push({ length, rate: requests / result.seconds, p50, p95, p99 })
  }
}

async function measureLatencies({ server }: Pod, figures: Figures, signal: AbortSignal): Promise<void> {
  const most = figures.rates.find(({ length }) => length === LENGTH)?.rate ?? 0
  for (const share of SHARES) {
    const rate = Math.floor(most * share)
    progress(`${server.name}: ${rate} requests a second`)
    const plan = { url: `${server.origin}/key/${LENGTH}`, seconds, connections: 64, rate }
    figures.latencies.push({ share, ...(await sendLoad(plan, signal)) })
  }
}

async function measureMemory({ server, cgroup }: Pod, figures: Figures, signal: AbortSignal): Promise<void> {
  for (const connections of CONNECTIONS) {
    progress(`${server.name}: memory at ${connections} connections`)
    const load = sendLoad({ url: `${server.origin}/key/${LENGTH}`, seconds, connections }, signal)
    let memoryMiB = 0
    const samples = setInterval(() => {
      memoryMiB = Math.max(memoryMiB, cgroup.memoryMiB())
    }, 100)
    await load.finally(() => clearInterval(samples))
    figures.memory.push({ connections, memoryMiB })
  }
}

async function measureIdle({ server, cgroup }: Pod, figures: Figures, signal: AbortSignal): Promise<void> {
  const idleSeconds = options.quick ? 5 : 60
  progress(`${server.name}: idle for ${idleSeconds} s`)
  const before = server.cpuSeconds()
  await sleep(idleSeconds * 1000, undefined, { signal })
  const cpuMsPerSecond = ((server.cpuSeconds() - before) / idleSeconds) * 1000
  figures.idle = { cpuMsPerSecond, memoryMiB: cgroup.memoryMiB() }
}

async function soak({ server, cgroup }: Pod, figures: Figures, signal: AbortSignal): Promise<void> {
  const step = 10
  for (let second = step; second <= soakMinutes * 60; second += step) {
    await sendLoad({ url: `${server.origin}/key/${LENGTH}`, seconds: step, connections: 64 }, signal)
    figures.soak.push({ second, memoryMiB: cgroup.memoryMiB() })
    progress(`soak: ${second} s, ${round(cgroup.memoryMiB())} MiB`)
  }
}

function report(own: Figures, go: Figures | undefined, end: string): void {
  const made = `Made by \`${command('bench:capacity')}\` on ${machine()}, in a cgroup of ${POD.milliCpu}m CPU and ${POD.memoryMiB} MiB, with /metrics scraped every ${SCRAPE_SECONDS} s; ${end}.`
  const text = [made, ...sections(own, go)].join('\n\n')
  const plots = own.soak.length === 0 ? {} : { 'soak.svg': soakPlot(own) }
  const json = `${JSON.stringify({ made, pod: POD, keyServer: own, go }, null, 2)}\n`
  writeResults(options.out, { 'capacity.json': json, 'capacity.md': text, ...plots })
  process.stdout.write(text)
  if (end === 'complete' && !options.quick) {
    replaceMade('docs/explanation/capacity.md', 'capacity', text)
    if (own.soak.length > 0) writeResults('docs/img', plots)
  }
}
