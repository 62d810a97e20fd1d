import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { totals } from '../../src/key-space/key-space.ts'
import { readKeySpace } from '../../src/key-space/key-space-text.ts'
import { isIn, numbersOf } from '../keys/numbers.ts'
import { newNamespace, Release } from './cluster.ts'
import { startCollector } from './load.ts'

const UNIQUE = { 'unique.enabled': true }
const FOUR = { ...UNIQUE, 'unique.store': 'kubernetes', replicaCount: 4, 'networkPolicy.enabled': true }

/** What a Secret of the release holds under a key. */
async function secretOf(release: Release, name: string, key: string): Promise<string> {
  const secret = JSON.parse(
    await release.kubectl('get', 'secret', `${release.fullname}-${name}`, '--output', 'json'),
  )
  return Buffer.from(secret.data[key], 'base64').toString()
}

describe('with the Kubernetes store', () => {
  test('four replicas, killed at random, deal no key of two bytes twice, and all are accounted for', async () => {
    const release = new Release(await newNamespace())
    await release.apply('install', FOUR)
    const collector = await startCollector(release, { path: '/key/2', callers: 8, pauseMs: 60 })
    let kills = 0
    while (!(await collector.isDone())) {
      await sleep(1000 + 3000 * Math.random())
      const pods = await release.pods()
      const victim = pods[Math.floor(Math.random() * pods.length)]
      if (victim === undefined) continue
      // The node gives it 2 seconds, fewer than it drains for: it can't give back what it has leased.
      await release.kubectl('delete', 'pod', victim, '--grace-period=0', '--force')
      kills++
    }
    const { keys, outcomes, unanswered } = await collector.result()
    // Those that are left end in good order, and give back what they have leased.
    await release.apply('upgrade', { ...FOUR, replicaCount: 0 })
    await release.kubectl('wait', '--for=delete', 'pods', '--all', '--timeout=60s')

    const space = readKeySpace(await secretOf(release, 'store', 'state'))
    const { free, leases = [], lost } = space.lengths[2] ?? {}
    const sums = totals(space, 2)
    const numbers = numbersOf(space, await secretOf(release, 'keyspace', 'keyspace-secret'), 2)
    const received = new Set(keys)
    const missing = [...numbers].filter(([key]) => !received.has(key)).map(([, number]) => number)
    const crashed = leases.map(([, first, count]) => [first, count] as const)
    const lostInUse = missing.filter((number) => !isIn(free, number) && !isIn(crashed, number))
    console.info(
      `${keys.length} keys received, ${kills} pods killed, ${leases.length} leases of theirs open; ` +
        JSON.stringify({
          ...sums,
          missing: missing.length,
          lostInUse: lostInUse.length,
          outcomes,
          unanswered,
        }),
    )
    expect(kills).toBeGreaterThan(5)
    expect(received.size).toBe(keys.length)
    expect(
      Object.keys(outcomes).filter((outcome) => /^[45]/.test(outcome) && !/^(409$|503)/.test(outcome)),
    ).toEqual([])
    expect(keys.filter((key) => !numbers.has(key) || isIn(free, numbers.get(key) ?? -1))).toEqual([])
    expect(sums.used + sums.left + sums.lost + sums.leased).toBe(65_536)
    expect(leases.length).toBeLessThanOrEqual(2 * kills)
    expect(lostInUse.length).toBeLessThanOrEqual((lost ?? 0) + unanswered)
    // All were dealt, but for what is in nobody's reach.
    expect(sums.left).toBe(0)
  })

  test('neither an upgrade, a rollback nor a release that comes back changes the secret or the store', async () => {
    const release = new Release(await newNamespace())
    const two = { ...FOUR, replicaCount: 2 }
    await release.apply('install', two)
    const keys = [await release.get('/key/2?count=20')]
    const secret = await secretOf(release, 'keyspace', 'keyspace-secret')
    const storeId = async () => JSON.parse(await secretOf(release, 'store', 'state')).storeId
    const id = await storeId()
    await release.apply('upgrade', { ...two, maxSize: 64 })
    keys.push(await release.get('/key/2?count=20'))
    await release.apply('upgrade', { replicaCount: 2 })
    await release.helm('rollback', '1')
    await release.served()
    keys.push(await release.get('/key/2?count=20'))
    await release.helm('uninstall', '--wait')
    await release.apply('install', two)
    keys.push(await release.get('/key/2?count=20'))
    expect([await secretOf(release, 'keyspace', 'keyspace-secret'), await storeId()]).toEqual([secret, id])
    const all = keys.flatMap((text) => text.trim().split('\n'))
    expect(new Set(all).size).toBe(80)
  })
})

test('with a file on a volume, no key comes twice across restarts, upgrades, rollbacks and a release that comes back', async () => {
  const release = new Release(await newNamespace())
  await release.apply('install', UNIQUE)
  const keys = [await release.get('/key/2?count=20')]
  const next = async () => {
    await vi.waitFor(async () => keys.push(await release.get('/key/2?count=20')), { timeout: 30_000 })
  }
  await release.kubectl('delete', 'pods', '--all', '--grace-period=0', '--force')
  await release.served()
  await next()
  await release.apply('upgrade', { ...UNIQUE, maxSize: 64 })
  await next()
  expect(await release.tryTo('upgrade', { ...UNIQUE, replicaCount: 2 })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('replicaCount must be 1, not 2'),
  })
  await release.apply('upgrade')
  await release.helm('rollback', '1')
  await release.served()
  await next()
  await release.helm('uninstall', '--wait')
  await release.apply('install', UNIQUE)
  await next()
  const all = keys.flatMap((text) => text.trim().split('\n'))
  expect(new Set(all).size).toBe(100)
  const table = await release.kubectl(
    'exec',
    'deployment/key-server',
    '--',
    'node',
    'dist/server.cjs',
    'store',
    'show',
  )
  expect(table).toMatch(/^ +2 /m)
})
