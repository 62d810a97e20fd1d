import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, type TestContext } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { needs } from '../../program.ts'

/** The chart's folder. */
export const CHART = resolve(import.meta.dirname, '../../../helm/key-server')

/** The oldest Kubernetes that the chart is for; without a cluster, helm assumes one of its own choice. */
export const KUBERNETES = '1.30.0'

/** Helm 4, unless HELM names another one. */
const HELM = process.env.HELM ?? 'helm'

export interface Container {
  readonly env?: readonly { name: string; value?: string }[]
  readonly [field: string]: unknown
}

export interface PodSpec {
  readonly containers: readonly Container[]
  readonly [field: string]: unknown
}

/** A Kubernetes object, as far as the tests read it by name. */
export interface Manifest {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly template?: { readonly metadata: Manifest['metadata']; readonly spec: PodSpec }
    readonly [field: string]: unknown
  }
}

/** Runs helm to its end. */
export function helm(context: TestContext, args: readonly string[], input = '') {
  return spawnSync(needs(HELM, context), args, { encoding: 'utf8', input })
}

/** What `helm template` says of the chart with `values`, in the namespace `keys` of a Kubernetes of that version. */
export function template(
  context: TestContext,
  values: object = {},
  chart = CHART,
  release = 'key-server',
  kubernetes = KUBERNETES,
) {
  const args = ['--namespace', 'keys', '--kube-version', kubernetes, '--values', '-']
  return helm(context, ['template', release, chart, ...args], JSON.stringify(values))
}

/** The objects of a release with `values`, hooks among them. */
export function render(
  context: TestContext,
  values: object = {},
  chart = CHART,
  release?: string,
  kubernetes?: string,
): Manifest[] {
  const { status, stdout, stderr } = template(context, values, chart, release, kubernetes)
  if (status !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
}

/** Sees that helm makes nothing of the chart with `values`, in words that match, wherever it breaks their lines. */
export function expectRefused(context: TestContext, values: object, says: RegExp): void {
  const { status, stdout, stderr } = template(context, values)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr.replaceAll('\n', ' ')).toMatch(says)
}

/** What helm tells who has installed a release with `values`. */
export function notes(context: TestContext, values: object): string {
  const args = ['install', 'key-server', '--dry-run=client', '--values', '-']
  const { status, stdout, stderr } = helm(context, [...args, CHART], JSON.stringify(values))
  if (status !== 0 || stderr !== '') throw new Error(stderr)
  return stdout.slice(stdout.indexOf('NOTES:'))
}

/** Those that helm runs at that event. */
export function hooks(manifests: readonly Manifest[], event: string): Manifest[] {
  return manifests.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === event)
}

/** The one object of that kind. */
export function one(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = manifests.filter((manifest) => manifest.kind === kind)
  if (found === undefined || more.length > 0) throw new Error(`${more.length + (found ? 1 : 0)} of ${kind}`)
  return found
}

/** The pod that a Deployment or a Job makes. */
export function podOf({ kind, spec }: Manifest): PodSpec {
  if (spec.template === undefined) throw new Error(`${kind} has no pod`)
  return spec.template.spec
}

/** The one container of the pod that a Deployment or a Job makes. */
export function containerOf(manifest: Manifest): Container {
  const [container] = podOf(manifest).containers
  if (container === undefined) throw new Error(`${manifest.kind} has no container`)
  return container
}
