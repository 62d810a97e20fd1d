import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { Release } from './cluster.ts'
import { type ScriptPod, startScript } from './script-pod.ts'

/** What came of the calls. */
export interface LoadResult {
  readonly answered: number
  readonly failed: number
  /** When and why, the first 20. */
  readonly failures: readonly string[]
}

interface LoadPlan {
  readonly path: string
  /** Calls at a time. */
  readonly callers: number
  /** Between an answer and the same caller's next call. */
  readonly pauseMs: number
}

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
const CALLER = read('caller.ts')
const COLLECTOR = read('collector.ts')

/**
 * Starts a pod that calls a release's service until it is stopped, for ten minutes at most; it has had an answer
 * when this returns.
 */
export async function startLoad(release: Release, plan: Partial<LoadPlan> = {}) {
  const pod = await startPod(release, CALLER, { path: '/key/32', callers: 8, pauseMs: 40, ...plan })
  return {
    async stop(): Promise<LoadResult> {
      await pod.run("process.kill(1, 'SIGUSR2')")
      return JSON.parse((await linesOf(release, pod)).at(-1) ?? '')
    },
  }
}

/** What the calls of a collector have brought. */
interface Collected {
  readonly keys: readonly string[]
  /** Calls by status (and what a failure says), or by the error when there was no answer. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Keys that were asked for by calls that a server may have answered, without an answer that arrived. */
  readonly unanswered: number
}

/** Starts a pod that takes a release's keys of a length until there are no more; it has some when this returns. */
export async function startCollector(release: Release, plan: LoadPlan) {
  const pod = await startPod(release, COLLECTOR, plan)
  return {
    async isDone(): Promise<boolean> {
      const phase = await release.kubectl('get', 'pod', pod.name, '--output=jsonpath={.status.phase}')
      return phase !== 'Running'
    },
    async result(): Promise<Collected> {
      const lines = await linesOf(release, pod)
      const keys = lines
        .filter((line) => line.startsWith('keys '))
        .flatMap((line) => line.slice('keys '.length).split(' '))
      return { keys, ...JSON.parse(lines.at(-1) ?? '') }
    },
  }
}

/** Runs a script in a pod of the release's namespace, until it has had its first answer. */
async function startPod(release: Release, script: string, plan: LoadPlan): Promise<ScriptPod> {
  const { namespace, fullname } = release
  const { path, callers, pauseMs } = plan
  const pod = await startScript(namespace, `load-${release.name}`, script, {
    TARGET: `http://${fullname}.${namespace}:1123${path}`,
    CALLERS: String(callers),
    PAUSE_MS: String(pauseMs),
  })
  await vi.waitUntil(async () => (await pod.lines()).includes('calling'), { timeout: 60_000, interval: 500 })
  return pod
}

/** What a pod has said when it has ended, which it is then removed for. */
async function linesOf(release: Release, pod: ScriptPod): Promise<string[]> {
  await release.kubectl(
    'wait',
    `pod/${pod.name}`,
    '--for=jsonpath={.status.phase}=Succeeded',
    '--timeout=60s',
  )
  const lines = await pod.lines()
  await pod.end()
  return lines
}
