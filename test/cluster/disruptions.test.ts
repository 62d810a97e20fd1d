import { expect, test, vi } from 'vitest'
import { can, kubectl, newNamespace, Release } from './cluster.ts'
import { startLoad } from './load.ts'

test('a pod that is deleted under load loses no request', async () => {
  const release = new Release(await newNamespace())
  await release.apply('install', { replicaCount: 2 })
  const load = await startLoad(release)
  for (const pod of await release.pods()) {
    await release.kubectl('delete', 'pod', pod)
    await release.served()
  }
  expect(await load.stop()).toMatchObject({ failed: 0, failures: [] })
})

test('a pod that is killed under load costs only calls that were on their way to it', async () => {
  const release = new Release(await newNamespace())
  await release.apply('install', { replicaCount: 2 })
  const load = await startLoad(release)
  const [victim = ''] = await release.pods()
  await release.kubectl('delete', 'pod', victim, '--grace-period=0', '--force')
  await release.served()
  const { answered, failed, failures } = await load.stop()
  expect(failed, failures.join('\n')).toBeLessThan(answered / 10)
  const after = await startLoad(release)
  expect(await after.stop()).toMatchObject({ failed: 0 })
})

test('the disruption budget lets one pod go at a time', async () => {
  const release = new Release(await newNamespace())
  await release.apply('install', { replicaCount: 2 })
  const { namespace } = release
  await release.kubectl(
    'wait',
    'pdb/key-server',
    '--for=jsonpath={.status.disruptionsAllowed}=1',
    '--timeout=60s',
  )
  const evict = (name: string) => {
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`
    return kubectl(['create', '--raw', path, '--filename', '-'], JSON.stringify(eviction))
  }
  const [first = '', second = ''] = await release.pods()
  await evict(first)
  await expect(evict(second)).rejects.toThrow(/disruption budget/)
})

test('the autoscaler adds pods under load; switched on, it takes none away', async (context) => {
  if (
    !(await can(['wait', 'apiservice/v1beta1.metrics.k8s.io', '--for=condition=Available', '--timeout=120s']))
  ) {
    if (process.env.CI === 'true') throw new Error('the cluster has no metrics-server')
    context.skip('the cluster has no metrics-server')
  }
  const release = new Release(await newNamespace())
  await release.apply('install', { replicaCount: 2 })
  const asked = async () =>
    Number(await release.kubectl('get', 'deployment/key-server', '--output=jsonpath={.spec.replicas}'))
  await release.apply('upgrade', { 'autoscaling.enabled': true, 'autoscaling.maxReplicas': 4 })
  expect(await asked()).toBeGreaterThanOrEqual(2)
  const load = await startLoad(release, { path: '/key/1024?count=1000', callers: 6, pauseMs: 0 })
  await vi.waitUntil(async () => (await asked()) > 2, { timeout: 240_000, interval: 2000 })
  await release.served()
  expect(await load.stop()).toMatchObject({ failed: 0 })
})
