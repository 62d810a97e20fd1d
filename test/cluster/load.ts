import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { image, kubectl, type Release } from './cluster.ts'

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
  const name = await startPod(release, CALLER, { path: '/key/32', callers: 8, pauseMs: 40, ...plan })
  return {
    async stop(): Promise<LoadResult> {
      await release.kubectl('exec', name, '--', 'node', '--eval', "process.kill(1, 'SIGUSR2')")
      return JSON.parse((await linesOf(release, name)).at(-1) ?? '')
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
  const name = await startPod(release, COLLECTOR, plan)
  return {
    async isDone(): Promise<boolean> {
      const phase = await release.kubectl('get', 'pod', name, '--output=jsonpath={.status.phase}')
      return phase !== 'Running'
    },
    async result(): Promise<Collected> {
      const lines = await linesOf(release, name)
      const keys = lines
        .filter((line) => line.startsWith('keys '))
        .flatMap((line) => line.slice('keys '.length).split(' '))
      return { keys, ...JSON.parse(lines.at(-1) ?? '') }
    },
  }
}

/** Runs a script in a pod of the release's namespace, until it has had its first answer. */
async function startPod(release: Release, script: string, plan: LoadPlan): Promise<string> {
  const { namespace, fullname } = release
  const { path, callers, pauseMs } = plan
  const name = `load-${release.name}`
  const env = {
    TARGET: `http://${fullname}.${namespace}:1123${path}`,
    CALLERS: String(callers),
    PAUSE_MS: String(pauseMs),
  }
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'load',
          image: image.name,
          command: ['node', '--input-type=module-typescript', '--eval', script],
          env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
  await kubectl(['apply', '--filename', '-'], JSON.stringify(pod))
  onTestFinished(async () => void (await release.kubectl('delete', 'pod', name, '--ignore-not-found')))
  await release.kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s')
  await vi.waitUntil(async () => (await release.kubectl('logs', name)).includes('calling'), {
    timeout: 60_000,
    interval: 500,
  })
  return name
}

/** What a pod has said when it has ended, which it is then removed for. */
async function linesOf(release: Release, name: string): Promise<string[]> {
  await release.kubectl('wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s')
  const lines = (await release.kubectl('logs', name)).trim().split('\n')
  await release.kubectl('delete', 'pod', name)
  return lines
}
