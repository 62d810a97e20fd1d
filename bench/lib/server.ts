import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** Linux counts CPU time in hundredths of a second (sysconf CLK_TCK) on every architecture that Node runs on. */
const TICK_SECONDS = 0.01
const READY_DEADLINE_MS = 30_000
const started = new Set<MeasuredServer>()

/** Ends every server that this process has started and that still runs. */
export async function stopServers(): Promise<void> {
  await Promise.all([...started].map((server) => server.stop()))
}

/** A server under measurement, in a process of its own on a free port of the loopback. */
export class MeasuredServer {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** Milliseconds from the start of the process to the first key. */
  readyMs = Number.NaN
  readonly #child: ChildProcess
  #stderr = ''

  private constructor(name: string, port: number, child: ChildProcess) {
    if (child.pid === undefined) throw new Error(`${name}: ${child.spawnfile} can't be started`)
    this.name = name
    this.port = port
    this.pid = child.pid
    this.#child = child
    child.stderr?.on('data', (text) => {
      this.#stderr += text
    })
  }

  /** Starts `command` with `--srv-port` and a free port, and waits for its first key. */
  static async start(
    name: string,
    command: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<MeasuredServer> {
    const port = await freePort()
    const [program = '', ...args] = [...command, '--srv-port', String(port)]
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.on('error', () => undefined)
    const server = new MeasuredServer(name, port, child)
    started.add(server)
    const start = performance.now()
    await server.#firstKey(start + READY_DEADLINE_MS)
    server.readyMs = performance.now() - start
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Seconds of user and system time since the start, from the operating system. */
  cpuSeconds(): number {
    this.assertRunning()
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS
  }

  /** MiB of resident memory: the most there has been (VmHWM), mapped program pages included. */
  peakMemory(): number {
    this.assertRunning()
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))
    return Number(peak?.[1]) / 1024
  }

  async stop(): Promise<void> {
    started.delete(this)
    if (!this.#running) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  get #running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** @throws a sentence that says how the server ended, if it has. */
  assertRunning(): void {
    if (this.#running) return
    const end = this.#child.signalCode ?? `status ${this.#child.exitCode}`
    throw new Error(
      `${this.name} ended (${end}) while it was measured: ${this.#stderr.trim() || 'it said nothing'}`,
    )
  }

  async #firstKey(deadline: number): Promise<void> {
    while (performance.now() < deadline) {
      this.assertRunning()
      const answer = await fetch(`${this.origin}/key/16`).catch(() => undefined)
      if (answer?.ok) return
      await sleep(5)
    }
    throw new Error(`${this.name} gave no key within ${READY_DEADLINE_MS / 1000} s`)
  }
}
