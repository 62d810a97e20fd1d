import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'

/** The chart's folder. */
export const CHART = resolve(import.meta.dirname, '../../helm/key-server')

const [REPOSITORY = '', TAG = ''] = (process.env.IMAGE ?? 'localhost:5000/key-server:latest').split(
  /:(?=[^:/]*$)/,
)

/** The image that is tried; the cluster's nodes must be able to pull it. */
export const image = { repository: REPOSITORY, tag: TAG, name: `${REPOSITORY}:${TAG}` }

const exec = promisify(execFile)

interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

async function run(program: string, args: readonly string[], input?: string): Promise<Outcome> {
  const running = exec(program, args, { maxBuffer: 2 ** 26 })
  running.child.stdin?.end(input)
  try {
    return { status: 0, ...(await running) }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number | string; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { status: code, stdout, stderr }
  }
}

/** Runs kubectl; throws what it says when it fails. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { status, stdout, stderr } = await run('kubectl', args, input)
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** Whether kubectl can do it. */
export async function can(args: readonly string[]): Promise<boolean> {
  return (await run('kubectl', args)).status === 0
}

/** Runs helm (or the program that HELM names), whether it fails or not. */
export function helm(args: readonly string[]): Promise<Outcome> {
  return run(process.env.HELM ?? 'helm', args)
}

/** A namespace that refuses pods below the restricted standard; gone when the test ends. */
export async function newNamespace(): Promise<string> {
  const name = `key-server-test-${randomBytes(4).toString('hex')}`
  await kubectl(['create', 'namespace', name])
  onTestFinished(async () => void (await kubectl(['delete', 'namespace', name, '--wait=false'])))
  await kubectl(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted'])
  return name
}

/** `--set` for each. */
function sets(values: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`])
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly status: {
    readonly podIP: string
    readonly containerStatuses: readonly { readonly restartCount: number }[]
  }
}

/** A release in a namespace of the test. */
export class Release {
  readonly namespace: string
  readonly name: string

  constructor(namespace: string, name = 'key-server') {
    this.namespace = namespace
    this.name = name
  }

  /** `helm install` or `upgrade`, as it ended. */
  tryTo(verb: 'install' | 'upgrade', values: Parameters<typeof sets>[0]): Promise<Outcome> {
    const all = {
      'image.repository': image.repository,
      'image.tag': image.tag,
      maxSize: 1024,
      srvPort: 1123,
      ...values,
    }
    return helm([verb, this.name, CHART, '--namespace', this.namespace, ...sets(all)])
  }

  /** The same, until its pods serve. */
  async apply(verb: 'install' | 'upgrade', values: Parameters<typeof sets>[0] = {}): Promise<void> {
    const { status, stderr } = await this.tryTo(verb, values)
    if (status !== 0) throw new Error(`helm ${verb}: ${stderr}`)
    await this.served()
  }

  /** `helm` with a command on this release; throws what it says when it fails. */
  async helm(verb: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await helm([verb, this.name, '--namespace', this.namespace, ...args])
    if (status !== 0) throw new Error(`helm ${verb}: ${stderr}${stdout}`)
    return stdout
  }

  kubectl(...args: string[]): Promise<string> {
    return kubectl(['--namespace', this.namespace, ...args])
  }

  /** Until every pod that was asked for serves, and no other is left. */
  async served(): Promise<void> {
    await this.kubectl('rollout', 'status', `deployment/${this.fullname}`, '--timeout=180s')
  }

  /** The names of its pods that are not ending. */
  async pods(): Promise<string[]> {
    return (await this.#pods()).map(({ metadata }) => metadata.name)
  }

  /** The addresses of its pods that are not ending. */
  async podAddresses(): Promise<string[]> {
    return (await this.#pods()).map(({ status }) => status.podIP)
  }

  /** How often each of its pods was started again. */
  async restarts(): Promise<number[]> {
    return (await this.#pods()).flatMap(({ status }) =>
      status.containerStatuses.map(({ restartCount }) => restartCount),
    )
  }

  async #pods(): Promise<Pod[]> {
    const selector = `app.kubernetes.io/component=server,app.kubernetes.io/instance=${this.name}`
    const { items } = JSON.parse(
      await this.kubectl('get', 'pods', '--selector', selector, '--output', 'json'),
    ) as { items: Pod[] }
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  }

  /** Makes a Secret in its namespace, or gives the one that is there other contents. */
  async makeSecret(name: string, stringData: Record<string, string>, type = 'Opaque'): Promise<void> {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: this.namespace },
      type,
      stringData,
    }
    await kubectl(['apply', '--filename', '-'], JSON.stringify(secret))
  }

  /** What its service answers, through the API server; throws what is not 200. */
  get(path: string): Promise<string> {
    return kubectl([
      'get',
      '--raw',
      `/api/v1/namespaces/${this.namespace}/services/${this.fullname}:http/proxy${path}`,
    ])
  }

  get fullname(): string {
    return this.name.includes('key-server') ? this.name : `${this.name}-key-server`
  }
}
