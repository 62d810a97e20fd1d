import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cgroup, POD } from './lib/cgroup.ts'
import { progress, runCleanly } from './lib/clean-run.ts'
import { type Panel, readPanels, withVariables } from './lib/dashboard.ts'
import { LISTENING, type Listening, startListening } from './lib/listening.ts'
import { sendLoad } from './lib/load.ts'
import { drawPanels, type Line } from './lib/panels.ts'
import { keyServer } from './lib/peers.ts'
import { writeResults } from './lib/report.ts'

const LABELS = 'namespace="keys",pod="key-server-0",container="key-server"'
const SCRAPE_SECONDS = 5
const RESULTS = fileURLToPath(new URL('results', import.meta.url))
const IMAGE = new URL('../docs/img/dashboard.svg', import.meta.url)

/** Phases of so many seconds with so many requests a second by path. */
const PHASES: readonly (readonly [seconds: number, rates: Readonly<Record<string, number>>])[] = [
  [60, { '/key/16': 40, '/key/32': 30, '/key/256': 5, '/key/0': 1 }],
  [90, { '/key/16': 1500, '/key/32': 300, '/key/1024': 100, '/key/0': 2 }],
  [60, { '/key/16': 100, '/key/512': 60, '/key/abc': 40 }],
  [60, { '/key/16': 40, '/key/32': 30, '/key/256': 5, '/key/0': 1 }],
]

await runCleanly(async (signal) => {
  const cgroup = Cgroup.create('key-server-dashboard', POD)
  const folder = mkdtempSync(join(tmpdir(), 'key-server-dashboard-'))
  const started: Listening[] = []
  try {
    const [program = '', ...args] = cgroup.enter([...keyServer.command, '-srv-port=0', '-host=127.0.0.1'])
    const server = await startListening(program, args, /on port (\d+)\.\.\./)
    started.push(server)
    const container = await exportContainer(server.origin, cgroup)
    const prometheus = await startPrometheus(folder, new URL(server.origin).host, container)
    started.push(prometheus)
    const start = Date.now()
    for (const [seconds, rates] of PHASES) {
      progress(`${seconds} s of ${JSON.stringify(rates)}`)
      const loads = Object.entries(rates).map(([path, rate]) =>
        sendLoad({ url: `${server.origin}${path}`, seconds, connections: 4, rate }, signal),
      )
      await Promise.all(loads)
    }
    const shown: (readonly [Panel, readonly Line[]])[] = []
    for (const panel of readPanels()) {
      const lines = await linesOf(panel, prometheus.origin, start)
      if (lines.length === 0) progress(`left out, because there is no data: ${panel.title}`)
      else shown.push([panel, lines])
    }
    const title = `key-server in ${POD.milliCpu}m CPU and ${POD.memoryMiB} MiB, ${new Date(start).toISOString().slice(0, 16)} UTC`
    writeResults(RESULTS, { 'dashboard.json': JSON.stringify({ title, shown }) })
    writeFileSync(IMAGE, drawPanels(title, shown))
  } finally {
    await Promise.all(started.map((each) => each.stop()))
    cgroup.remove()
    rmSync(folder, { recursive: true })
  }
})

async function startPrometheus(folder: string, server: string, container: string): Promise<Listening> {
  const job = (job_name: string, target: string, labels: object) => ({
    job_name,
    honor_labels: true,
    static_configs: [{ targets: [target], labels }],
  })
  const pod = { namespace: 'keys', service: 'key-server', pod: 'key-server-0', container: 'key-server' }
  const config = {
    global: { scrape_interval: `${SCRAPE_SECONDS}s` },
    scrape_configs: [job('key-server', server, pod), job('container', container, {})],
  }
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const flags = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    '--web.listen-address=127.0.0.1:0',
  ]
  return startListening('prometheus', flags, LISTENING)
}

/** Stands in for cAdvisor and kube-state-metrics: what the server has used, and the limits of its cgroup. */
async function exportContainer(origin: string, cgroup: Cgroup): Promise<string> {
  const exporter = createServer(async (_request, response) => {
    const metrics = await (await fetch(`${origin}/metrics`)).text()
    const cpu = /^process_cpu_seconds_total (\S+)$/m.exec(metrics)?.[1]
    response.end(`container_cpu_usage_seconds_total{${LABELS}} ${cpu}
container_memory_working_set_bytes{${LABELS}} ${cgroup.memoryMiB() * 1024 * 1024}
kube_pod_container_resource_limits{${LABELS},resource="cpu"} ${POD.milliCpu / 1000}
kube_pod_container_resource_limits{${LABELS},resource="memory"} ${POD.memoryMiB * 1024 * 1024}
`)
  })
  exporter.listen(0, '127.0.0.1')
  await once(exporter, 'listening')
  return `127.0.0.1:${(exporter.address() as AddressInfo).port}`
}

async function linesOf({ targets }: Panel, origin: string, start: number): Promise<Line[]> {
  const lines: Line[] = []
  for (const { expr, legendFormat } of targets) {
    const query = new URLSearchParams({
      query: withVariables(expr, `${4 * SCRAPE_SECONDS}s`),
      start: String(start / 1000 + 4 * SCRAPE_SECONDS),
      end: String(Date.now() / 1000),
      step: String(SCRAPE_SECONDS),
    })
    const answer = (await (await fetch(`${origin}/api/v1/query_range?${query}`)).json()) as {
      data: { result: { metric: Record<string, string>; values: [number, string][] }[] }
    }
    for (const { metric, values } of answer.data.result) {
      const name = legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_all, label: string) => metric[label] ?? '')
      lines.push({ name, points: values.map(([time, value]) => [time * 1000, Number(value)] as const) })
    }
  }
  return lines
}
