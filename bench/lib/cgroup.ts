import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'
const PERIOD_US = 100_000

/** What a cgroup allows: the pod's limits. */
export interface Limits {
  /** Thousandths of a processor. */
  readonly milliCpu: number
  readonly memoryMiB: number
}

/** The pod of the chart and of the original's guide. */
export const POD: Limits = { milliCpu: 200, memoryMiB: 128 }

/** A control group of Linux, of version 1 or 2, with a limit of CPU and of memory. */
export class Cgroup {
  readonly #cpu: string
  readonly #memory: string
  /** Only version 2 counts what the kernel holds for connections. */
  readonly version: 1 | 2

  private constructor(cpu: string, memory: string, version: 1 | 2) {
    this.#cpu = cpu
    this.#memory = memory
    this.version = version
  }

  /** @throws a sentence that says what to do where this process may not make one. */
  static create(name: string, { milliCpu, memoryMiB }: Limits): Cgroup {
    const version = existsSync(join(ROOT, 'cgroup.controllers')) ? 2 : 1
    const folders =
      version === 2 ? [join(ROOT, name)] : ['cpu', 'memory'].map((part) => join(ROOT, part, name))
    const [cpu = '', memory = cpu] = folders
    const quota = (milliCpu * PERIOD_US) / 1000
    const bytes = String(memoryMiB * 1024 * 1024)
    try {
      for (const folder of folders) mkdirSync(folder)
      if (version === 2) {
        writeFileSync(join(cpu, 'cpu.max'), `${quota} ${PERIOD_US}`)
        writeFileSync(join(memory, 'memory.max'), bytes)
      } else {
        writeFileSync(join(cpu, 'cpu.cfs_period_us'), String(PERIOD_US))
        writeFileSync(join(cpu, 'cpu.cfs_quota_us'), String(quota))
        writeFileSync(join(memory, 'memory.limit_in_bytes'), bytes)
      }
    } catch (error) {
      for (const folder of folders) removeFolder(folder)
      throw new Error(
        `a cgroup can't be made here (${(error as Error).message}): run as root, or start the server in one yourself, as docs/explanation/capacity.md says, and measure it with npm run load`,
      )
    }
    return new Cgroup(cpu, memory, version)
  }

  /** `command` so that its process enters the group before it starts. */
  enter(command: readonly string[]): string[] {
    const joins = [...new Set([this.#cpu, this.#memory])].map((folder) => `echo $$ > ${folder}/cgroup.procs`)
    return ['sh', '-c', `${joins.join(' && ')} && exec "$@"`, 'enter', ...command]
  }

  /** MiB in use now, page cache included: what the limit is held against. */
  memoryMiB(): number {
    const file = this.version === 2 ? 'memory.current' : 'memory.usage_in_bytes'
    return Number(readFileSync(join(this.#memory, file), 'utf8')) / 1024 / 1024
  }

  /** How often a process of the group was killed for memory. */
  memoryKills(): number {
    const file = this.version === 2 ? 'memory.events' : 'memory.oom_control'
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(this.#memory, file), 'utf8'))?.[1] ?? 0)
  }

  /** Removes the group, whose processes have ended. */
  remove(): void {
    for (const folder of new Set([this.#cpu, this.#memory])) removeFolder(folder)
  }
}

function removeFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) rmdirSync(folder)
}
