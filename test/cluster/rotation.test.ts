import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { expect, test, vi } from 'vitest'
import { newNamespace, Release } from './cluster.ts'
import { type ScriptPod, startScript } from './script-pod.ts'

const RECEIVER = readFileSync(join(import.meta.dirname, 'receiver.ts'), 'utf8')

test('a rotation that is asked for reaches each replica within a minute, and the receiver once', async () => {
  const namespace = await newNamespace()
  const release = new Release(namespace)
  const receiver = await startScript(namespace, 'receiver', RECEIVER)
  const address = await addressOf(release, receiver)
  const token = randomBytes(32).toString('base64')
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  await release.makeSecret('administrators', { 'admin-token': token })
  await release.makeSecret('hooks', {
    'webhook-urls': `http://receiver.${namespace}:8080/hook`,
    'webhook-secret': secret,
  })
  await release.apply('install', {
    replicaCount: 2,
    'unique.enabled': true,
    'unique.store': 'kubernetes',
    'rotation.every': 90,
    'rotation.admin': true,
    'rotation.adminToken.name': 'administrators',
    'webhooks.urls.name': 'hooks',
    'webhooks.secret.name': 'hooks',
    'webhooks.allowCidr': `${address}/32`,
  })
  const url = `http://${release.fullname}.${namespace}:1123/rotation`
  const rotate = (bearer: string) =>
    receiver.ask(url, { method: 'POST', headers: { authorization: `Bearer ${bearer}` } })
  const periods = async () => {
    const addresses = await release.podAddresses()
    const answers = addresses.map((pod) => receiver.ask(`http://${pod}:1123/key/2`))
    return (await Promise.all(answers)).map(({ headers }) => headers['key-period'])
  }

  expect(await periods()).toEqual(['1', '1'])
  expect(await rotate(token.toLowerCase())).toMatchObject({ status: 401 })
  expect(await rotate(token)).toMatchObject({ status: 200, body: expect.stringContaining('"period":2') })
  await vi.waitFor(async () => expect(await periods()).toEqual(['2', '2']), { timeout: 60_000 })
  await vi.waitFor(async () => expect(await received(receiver)).toHaveLength(1), { timeout: 60_000 })
  expect(await rotate(token)).toMatchObject({ status: 200, body: expect.stringContaining('"period":3') })
  const told = { webhook: 1, pending: 0, disabled: false, givenUp: [] }
  // What one call was answered: the next can reach the replica that has not read of it yet.
  const { policy, endsAt } = await vi.waitFor(
    async () => {
      const report = JSON.parse(await release.get('/rotation'))
      expect(report).toMatchObject({ period: 3, webhooks: [told] })
      return report
    },
    { timeout: 60_000 },
  )
  expect(policy).toEqual({ rotateEveryDays: 90 })
  const notices = await received(receiver)
  expect(notices.map(({ headers, body }) => new Webhook(secret).verify(body, headers))).toMatchObject(
    [2, 3].map((period) => ({ type: 'rotation.completed', data: { period, reason: 'requested' } })),
  )
  expect(JSON.parse(notices[1]?.body ?? '').data.endsAt).toBe(endsAt)
  expect(new Set(notices.map(({ headers }) => headers['webhook-id'])).size).toBe(2)
})

/** Makes a service for a pod; what it is reached at from the pods of the cluster, whatever their addresses are. */
async function addressOf(release: Release, { name }: ScriptPod): Promise<string> {
  await release.kubectl('expose', 'pod', name, '--port=8080')
  return release.kubectl('get', 'service', name, '--output=jsonpath={.spec.clusterIP}')
}

interface Notice {
  readonly headers: Record<string, string>
  readonly body: string
}

async function received(receiver: ScriptPod): Promise<Notice[]> {
  const lines = await receiver.lines()
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}
