import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cgroup, POD } from './lib/cgroup.ts'
import { progress, runCleanly } from './lib/clean-run.ts'
import { readOptions, wholeNumber } from './lib/options.ts'
import { keyServer } from './lib/peers.ts'
import { machine, markdownTable, replaceMade } from './lib/report.ts'
import { round } from './lib/statistics.ts'

// What clients that read answers of 1 MiB fast, and then stop, make a pod hold: in the server, which its budget bounds,
// and in the kernel, which cgroup v2 counts and net.ipv4.tcp_wmem bounds.
const PATH = '/key/1048576?format=raw'
const SERVER = '192.0.2.1'
const CLIENTS = '192.0.2.2'
const PORT = '1123'
const SAMPLE_MS = 100
/** What the clients' kernel takes of what they do not read: as little as is usual, so that the rest stays at the server. */
const CLIENT_RMEM = '4096 131072 524288'
/** The most bytes for a connection: what Linux has by itself, and the chart's default. */
const BOUNDS = ['4194304', '262144']

const options = readOptions({
  clients: { type: 'string', default: '64' },
  bound: { type: 'string', multiple: true, default: BOUNDS },
  'write-docs': { type: 'boolean', default: false },
})
const clients = wholeNumber('clients', options.clients, 1000)
const bounds = options.bound.map((text) => wholeNumber('bound', text, 16_777_216))

await runCleanly(async (signal) => {
  const rows: string[][] = []
  for (const bound of bounds) {
    progress(`${clients} clients, ${bound / 1024} KiB in the kernel for each`)
    rows.push([`${bound / 1024} KiB`, ...(await attack(bound, signal))])
  }
  const head = ['bound of a connection', 'kernel MiB', 'pod MiB', 'killed']
  const text = `${clients} clients of 1 MiB, ${POD.memoryMiB} MiB; ${machine()}.\n\n${markdownTable(head, rows)}`
  process.stdout.write(text)
  if (options['write-docs']) replaceMade('docs/explanation/capacity.md', 'slow-readers', text)
})

/** The most that was held by the kernel and by the pod in all, in MiB, and whether the server was killed for it. */
async function attack(bound: number, signal: AbortSignal): Promise<string[]> {
  const pod = `key-server-pod-${process.pid}`
  const out = `key-server-out-${process.pid}`
  const cgroup = Cgroup.create(pod, POD)
  const started: ChildProcess[] = []
  const start = (space: string, command: readonly string[]) => {
    const [program = '', ...args] = inside(space, command)
    const child = spawn(program, args, { stdio: 'ignore' })
    started.push(child)
    return child
  }
  try {
    connectSpaces(pod, out)
    run(inside(pod, ['sysctl', '-qw', `net.ipv4.tcp_wmem=4096 16384 ${bound}`]))
    run(inside(out, ['sysctl', '-qw', `net.ipv4.tcp_rmem=${CLIENT_RMEM}`]))
    const server = start(pod, cgroup.enter([...keyServer.command, '-max-size', '1048576', '-srv-port', PORT]))
    const script = join(import.meta.dirname, 'lib/slow-reader.ts')
    const readers = start(out, [process.execPath, script, SERVER, PORT, PATH, String(clients)])
    let kernel = 0
    let memory = 0
    while (server.exitCode === null && server.signalCode === null && readers.exitCode === null) {
      signal.throwIfAborted()
      const held = kernelMiB(pod)
      kernel = Math.max(kernel, held)
      memory = Math.max(memory, cgroup.memoryMiB() + (cgroup.version === 1 ? held : 0))
      await sleep(SAMPLE_MS)
    }
    const killed = cgroup.memoryKills() > 0 || memory > POD.memoryMiB
    if (readers.exitCode !== 0 && !killed) throw new Error('the server or its clients ended too early')
    return [round(kernel), round(memory), killed ? 'yes' : 'no']
  } finally {
    for (const child of started) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    cgroup.remove()
    for (const name of [pod, out]) spawnSync('ip', ['netns', 'delete', name])
  }
}

/** Two network namespaces with a cable between them. */
function connectSpaces(pod: string, out: string): void {
  for (const name of [pod, out]) run(['ip', 'netns', 'add', name])
  run(['ip', 'link', 'add', 'eth0', 'netns', pod, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', out])
  for (const [name, address] of [
    [pod, SERVER],
    [out, CLIENTS],
  ] as const) {
    run(['ip', '-n', name, 'address', 'add', `${address}/30`, 'dev', 'eth0'])
    run(['ip', '-n', name, 'link', 'set', 'eth0', 'up'])
  }
}

/** Unlike `ip netns exec`, this leaves /sys, where the cgroups are, as it is. */
function inside(space: string, command: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${space}`, ...command]
}

function run([program = '', ...args]: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' })
}

/** What the connections of a namespace hold: queued, and set aside for them. */
function kernelMiB(space: string): number {
  const sockets = run(inside(space, ['ss', '-tnmH']))
  const parts = [...sockets.matchAll(/skmem:\(r(\d+),\S*?,f(\d+),w(\d+)/g)]
  return parts.flatMap(([, ...bytes]) => bytes).reduce((sum, bytes) => sum + Number(bytes), 0) / 1024 / 1024
}
