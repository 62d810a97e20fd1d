import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { keyPattern, keySize } from '../key-form.ts'
import { CHART, helm, image, kubectl, newNamespace, Release } from './cluster.ts'
import { startLoad } from './load.ts'

describe('a release', () => {
  test('is installed by the documented call, serves, and passes its own tests', async () => {
    const namespace = await newNamespace()
    const release = new Release(namespace)
    const folder = await mkdtemp(join(tmpdir(), 'key-server-package-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    expect(await helm(['package', CHART, '--destination', folder])).toMatchObject({ status: 0 })
    const call =
      `install key-server ${folder}/key-server-0.1.0.tgz --namespace ${namespace} --create-namespace ` +
      `--set image.repository=${image.repository} --set image.tag=${image.tag} --set maxSize=1024 --set srvPort=1123`
    expect(await helm(call.split(' '))).toMatchObject({ status: 0 })
    await release.served()
    expect(await release.get('/key/16')).toMatch(keyPattern(16))
    expect(await release.helm('test')).toMatch(/(Phase: +Succeeded[\s\S]*){3}/)
  })

  test('whose self-test fails is refused with its sentence, and what runs goes on serving', async () => {
    const release = new Release(await newNamespace())
    await release.apply('install')
    const [pods, load] = [await release.pods(), await startLoad(release)]
    const { status, stdout, stderr } = await release.tryTo('upgrade', { minSize: 20, maxSize: 10 })
    expect(status).toBe(1)
    // Helm 3.17 and older keep a hook's output to themselves.
    expect(`${stdout}${stderr}`).toContain('-min-size (20) must not be more than -max-size (10)')
    expect(await release.pods()).toEqual(pods)
    expect(await load.stop()).toMatchObject({ failed: 0 })
    await release.apply('upgrade', { minSize: 16 })
    await refuses(release, '/key/15')
  })

  test('has a heap that follows its memory limit', async () => {
    const release = new Release(await newNamespace())
    const heapMiB = async () => {
      const code = 'v8.getHeapStatistics().heap_size_limit / 2 ** 20'
      const command = ['node', '--env-file=node.env', '--print', code]
      return Number(await release.kubectl('exec', 'deployment/key-server', '--', ...command))
    }
    await release.apply('install')
    const small = await heapMiB()
    expect(small).toBeLessThan(110)
    await release.apply('upgrade', { 'resources.limits.memory': '256Mi' })
    expect(await heapMiB()).toBeGreaterThan(small + 40)
  })

  test('whose self-test fails is not installed at all', async () => {
    const release = new Release(await newNamespace())
    expect(await release.tryTo('install', { minSize: 20, maxSize: 10 })).toMatchObject({ status: 1 })
    expect(await release.kubectl('get', 'deployments,services', '--output', 'name')).toBe('')
  })

  test('scales 1, 3, 4, 1 under load and fails no request', async () => {
    const release = new Release(await newNamespace())
    await release.apply('install')
    const load = await startLoad(release)
    for (const replicaCount of [3, 4, 1]) {
      await release.apply('upgrade', { replicaCount })
      expect(await release.pods()).toHaveLength(replicaCount)
    }
    expect(await load.stop()).toMatchObject({ failed: 0, failures: [] })
  })

  test('is replaced and rolled back under load and fails no request', async () => {
    const release = new Release(await newNamespace())
    await release.apply('install', { replicaCount: 2 })
    const load = await startLoad(release)
    await release.apply('upgrade', { replicaCount: 2, minSize: 16 })
    await refuses(release, '/key/8')
    await release.helm('rollback', '1')
    await release.served()
    expect(await release.get('/key/8')).toMatch(keyPattern(8))
    expect(await load.stop()).toMatchObject({ failed: 0, failures: [] })
  })

  test('of another size lives beside it, each with its own pods', async () => {
    const namespace = await newNamespace()
    const [small, large] = [new Release(namespace, 'small'), new Release(namespace, 'large')]
    await Promise.all([small.apply('install', { maxSize: 16 }), large.apply('install', { maxSize: 2048 })])
    expect(await small.get('/key/16')).toHaveLength(32)
    await refuses(small, '/key/17')
    expect(await large.get('/key/2048')).toHaveLength(keySize(2048))
    await small.helm('uninstall', '--wait')
    expect(await large.get('/key/2048')).toHaveLength(keySize(2048))
  })

  test('that is uninstalled leaves nothing behind', async () => {
    const namespace = await newNamespace()
    const release = new Release(namespace)
    const before = await objects(namespace)
    await release.apply('install', {
      replicaCount: 2,
      'networkPolicy.enabled': true,
      'ingress.enabled': true,
    })
    expect(await objects(namespace)).not.toEqual(before)
    await release.helm('uninstall', '--wait')
    await release.kubectl('wait', '--for=delete', 'pods', '--all', '--timeout=60s')
    expect(await objects(namespace)).toEqual(before)
    expect((await helm(['list', '--namespace', namespace, '--all', '--short'])).stdout.trim()).toBe('')
  })
})

/** Until no pod is left to which the call is right. */
async function refuses(release: Release, path: string): Promise<void> {
  await vi.waitFor(() => expect(release.get(path)).rejects.toThrow('BadRequest'), {
    timeout: 30_000,
    interval: 500,
  })
}

/** Every object in a namespace but those that Kubernetes makes by itself and lets expire. */
async function objects(namespace: string): Promise<string[]> {
  const kinds = await kubectl(['api-resources', '--namespaced', '--verbs=list', '--output=name'])
  const asked = kinds
    .split('\n')
    .filter((kind) => kind !== '' && !/^(events|endpoints|pods\.metrics)/.test(kind))
  const names = await kubectl(['get', asked.join(','), '--namespace', namespace, '--output', 'name'])
  return names.split('\n').sort()
}
