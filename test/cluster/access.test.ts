import { expect, test, vi } from 'vitest'
import { hashSecret, newSecret } from '../../src/access/api-keys.ts'
import { keyForm } from '../../src/keys/encodings.ts'
import { certificateFor } from '../certificate.ts'
import { newNamespace, Release } from './cluster.ts'
import { startScript } from './script-pod.ts'

/** The kubelet brings a changed Secret to the pods within some two minutes. */
const SYNC = { timeout: 180_000, interval: 2000 }

const IDLE = 'setInterval(() => {}, 60_000)'

/** A file of API keys with the one of a secret. */
function fileOf(secret: string, scopes = ['key']): string {
  return JSON.stringify({ keys: [{ id: 'shop', sha256: hashSecret(secret).toString('hex'), scopes }] })
}

const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } })

test('API keys come from a Secret, and a changed one is taken up without a restart', async () => {
  const namespace = await newNamespace()
  const release = new Release(namespace)
  const [first, second] = [newSecret(), newSecret()]
  await release.makeSecret('clients', { 'api-keys': fileOf(first) })
  await release.apply('install', { replicaCount: 2, 'auth.apiKeys.name': 'clients' })
  const client = await startScript(namespace, 'client', IDLE)
  const pods = await release.pods()
  /** What each pod answers to a call without a secret, with the first and with the second. */
  const statuses = async () => {
    const calls = (await release.podAddresses()).map(async (pod) => {
      const url = `http://${pod}:1123/key/16`
      const answers = [client.ask(url), client.ask(url, bearer(first)), client.ask(url, bearer(second))]
      return (await Promise.all(answers)).map(({ status }) => status)
    })
    return Promise.all(calls)
  }

  expect(await statuses()).toEqual(Array(2).fill([401, 200, 401]))
  await release.makeSecret('clients', { 'api-keys': fileOf(second) })
  await vi.waitFor(async () => expect(await statuses()).toEqual(Array(2).fill([401, 401, 200])), SYNC)
  expect(await release.pods()).toEqual(pods)
  expect(await release.restarts()).toEqual([0, 0])
})

test('with TLS and API keys a release serves, passes its tests, is gated and takes another certificate', async () => {
  const namespace = await newNamespace()
  const release = new Release(namespace)
  const host = `${release.fullname}.${namespace}`
  const [secret, first, second] = [newSecret(), await certificateFor(host), await certificateFor(host)]
  const useCertificate = ({ cert, key }: typeof first) =>
    release.makeSecret('certificate', { 'tls.crt': cert, 'tls.key': key }, 'kubernetes.io/tls')
  await useCertificate(first)
  await release.makeSecret('clients', { 'api-keys': fileOf(secret) })
  const values = {
    replicaCount: 2,
    'tls.secretName': 'certificate',
    'auth.apiKeys.name': 'clients',
    'rateLimit.address': 600,
    'rateLimit.client': 600,
    'overload.maxLag': 1000,
    'salt.from': 'key-id\\,ip',
  }
  await release.apply('install', values)
  const client = await startScript(namespace, 'client', IDLE)
  const ask = (scheme: string, length: number, { cert: ca } = first) =>
    client.ask(`${scheme}://${host}:1123/key/${length}`, { ca, ...bearer(secret) })
  expect(await ask('https', 16)).toMatchObject({
    status: 200,
    body: expect.stringMatching(new RegExp(`^${keyForm(16)}\\n?$`)),
  })
  await expect(ask('http', 16)).rejects.toThrow('fetch failed')
  expect(await release.helm('test')).toMatch(/(Phase: +Succeeded[\s\S]*){3}/)

  await release.apply('upgrade', { ...values, minSize: 16 })
  await vi.waitFor(async () => expect(await ask('https', 8)).toMatchObject({ status: 400 }), SYNC)
  const pods = await release.pods()
  await release.makeSecret('clients', { 'api-keys': fileOf(secret).slice(0, -1) })
  const { status, stdout, stderr } = await release.tryTo('upgrade', values)
  expect(status).toBe(1)
  expect(`${stdout}${stderr}`).toContain('-api-keys-file (API_KEYS_FILE): it is no whole JSON document')
  expect(await release.pods()).toEqual(pods)
  expect(await ask('https', 16)).toMatchObject({ status: 200 })
  // The pods meet the broken file as well, and go on with the one before; another certificate they take up.
  await useCertificate(second)
  await vi.waitFor(async () => {
    const logs = await release.kubectl('logs', '--selector=app.kubernetes.io/component=server', '--tail=-1')
    expect(logs.match(/it is no whole JSON document/g)).toHaveLength(2)
    expect(logs.match(/The certificate in use expires/g)).toHaveLength(4)
  }, SYNC)
  expect(await ask('https', 16, second)).toMatchObject({ status: 200 })
  await expect(ask('https', 16, first)).rejects.toThrow(/code: '[A-Z_]*CERT/)
  expect(await release.restarts()).toEqual([0, 0])
})
