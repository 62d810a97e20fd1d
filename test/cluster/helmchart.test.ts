import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { manifestPath } from '../../scripts/manifest.ts'
import { keyPattern } from '../key-form.ts'
import { can, image, kubectl, newNamespace, Release } from './cluster.ts'

test('the manifest for k3s installs, changes, refuses to break and takes away a release', async (context) => {
  if (
    !(await can(['wait', 'crd/helmcharts.helm.cattle.io', '--for=condition=Established', '--timeout=60s']))
  ) {
    if (process.env.CI === 'true') throw new Error('the cluster has no helm-controller')
    context.skip('the cluster has no helm-controller, which k3s brings along')
  }
  const namespace = await newNamespace()
  const release = new Release(namespace, `key-server-${namespace.slice(-8)}`)
  const chart = ['--namespace', 'kube-system', `helmchart/${release.name}`]
  const apply = async (values: object) => {
    const manifest = parse(readFileSync(manifestPath, 'utf8'))
    manifest.metadata.name = release.name
    manifest.spec.targetNamespace = namespace
    const { repository, tag } = image
    manifest.spec.valuesContent = stringify({
      ...parse(manifest.spec.valuesContent),
      image: { repository, tag },
      ...values,
    })
    await kubectl(['apply', '--filename', '-'], JSON.stringify(manifest))
  }
  const settled = (what: () => Promise<boolean>) => vi.waitUntil(what, { timeout: 240_000, interval: 2000 })
  /** What helm calls the release; the Job of a change that another overtakes leaves it pending. */
  const isCalled = (status: string) =>
    release.helm('status', '--output', 'json').then(
      (text) => JSON.parse(text).info.status === status,
      () => false,
    )
  const answers = (path: string) =>
    release.get(path).then(
      () => true,
      () => false,
    )

  onTestFinished(async () => void (await kubectl(['delete', ...chart, '--ignore-not-found', '--wait=false'])))
  await apply({ minSize: 1 })
  await settled(() => answers('/key/8'))
  await settled(() => isCalled('deployed'))
  await apply({ minSize: 16, replicaCount: 2 })
  await settled(async () => !(await answers('/key/8')) && (await answers('/key/16')))
  await settled(() => isCalled('deployed'))
  await release.served()
  const pods = await release.pods()
  expect(pods).toHaveLength(2)

  await apply({ minSize: 20, maxSize: 10 })
  await settled(() => isCalled('failed'))
  expect(await release.pods()).toEqual(pods)
  expect(await release.get('/key/16')).toMatch(keyPattern(16))

  await kubectl(['delete', ...chart, '--timeout=120s'])
  await settled(async () => (await release.kubectl('get', 'deployments', '--output', 'name')) === '')
})
