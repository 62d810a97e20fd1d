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

const CALLER = readFileSync(join(import.meta.dirname, 'caller.ts'), 'utf8')

/**
 * Starts a pod that calls a release's service until it is stopped, for ten minutes at most; it has had an answer
 * when this returns.
 */
export async function startLoad(release: Release, plan: Partial<LoadPlan> = {}) {
  const { path = '/key/32', callers = 8, pauseMs = 40 } = plan
  const { namespace, fullname } = release
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
          command: ['node', '--input-type=module-typescript', '--eval', CALLER],
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
  return {
    async stop(): Promise<LoadResult> {
      await release.kubectl('exec', name, '--', 'node', '--eval', "process.kill(1, 'SIGUSR2')")
      await release.kubectl(
        'wait',
        `pod/${name}`,
        '--for=jsonpath={.status.phase}=Succeeded',
        '--timeout=60s',
      )
      const lines = (await release.kubectl('logs', name)).trim().split('\n')
      await release.kubectl('delete', 'pod', name)
      return JSON.parse(lines.at(-1) ?? '')
    },
  }
}
