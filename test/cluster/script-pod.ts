import { onTestFinished } from 'vitest'
import { image, kubectl } from './cluster.ts'

/** What a call was answered. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A pod that runs a script with the Node of the image. */
export class ScriptPod {
  readonly namespace: string
  readonly name: string

  constructor(namespace: string, name: string) {
    this.namespace = namespace
    this.name = name
  }

  /** What it has said, line by line. */
  async lines(): Promise<string[]> {
    return (await this.#kubectl('logs', this.name)).trim().split('\n')
  }

  /** Runs more code in it, with words in `process.argv` from 1 on; throws what it says when it fails. */
  run(code: string, ...words: string[]): Promise<string> {
    return this.#kubectl('exec', this.name, '--', 'node', '--eval', code, '--', ...words)
  }

  /** Calls a URL from it; throws when there is no answer. `ca` is whom it trusts instead of the usual, in PEM. */
  async ask(
    url: string,
    { ca, ...init }: { method?: string; headers?: Record<string, string>; ca?: string } = {},
  ): Promise<Answer> {
    return JSON.parse(await this.run(ASK, url, JSON.stringify(init), ca ?? ''))
  }

  async end(): Promise<void> {
    await this.#kubectl('delete', 'pod', this.name, '--ignore-not-found')
  }

  #kubectl(...args: string[]): Promise<string> {
    return kubectl(['--namespace', this.namespace, ...args])
  }
}

const ASK = `
const [, url, init, ca] = process.argv
if (ca !== '') require('node:tls').setDefaultCACertificates([ca])
fetch(url, JSON.parse(init)).then(async (answer) => {
  const headers = Object.fromEntries(answer.headers)
  console.log(JSON.stringify({ status: answer.status, headers, body: await answer.text() }))
})`

/** Starts a script in a pod, which is gone when the test ends; it runs when this returns. */
export async function startScript(
  namespace: string,
  name: string,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ScriptPod> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'script',
          image: image.name,
          command: ['node', '--input-type=module-typescript', '--eval', script],
          env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
  await kubectl(['apply', '--filename', '-'], JSON.stringify(pod))
  const started = new ScriptPod(namespace, name)
  onTestFinished(() => started.end())
  await kubectl(['--namespace', namespace, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s'])
  return started
}
