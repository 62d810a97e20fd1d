import { rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Cluster, KubernetesStore } from '../../src/stores/kubernetes.ts'
import { loopbackCertificate } from '../certificate.ts'
import { KubernetesApi } from './kubernetes-api.ts'

const STATE = 'hunter2-state'

function open(cluster: Partial<Cluster>): KubernetesStore {
  const store = new KubernetesStore('keys', cluster)
  onTestFinished(() => store.close())
  return store
}

/** What goes wrong with a read, and with a swap that begins with one; neither may hold what is secret. */
async function failureOf(
  attempt: Promise<unknown>,
): Promise<Error & { lasting: boolean; retryAfter?: number }> {
  const error = await attempt.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toMatchObject({ name: 'StoreError' })
  expect(`${error.message}${error.stack}${JSON.stringify(error)}${error.cause}`).not.toMatch(/token-|hunter2/)
  return error
}

describe('an API that does not do what it should is an error', () => {
  const answers = (status: number, body = '', headers = {}) => ({
    interfere: (response: ServerResponse) => response.writeHead(status, headers).end(body),
  })
  const secret = (data: unknown, metadata: unknown = { resourceVersion: '1' }) =>
    answers(200, JSON.stringify({ kind: 'Secret', metadata, data }))

  test.for<[string, { interfere: (response: ServerResponse) => unknown }, RegExp]>([
    ['that hangs', { interfere: () => undefined }, /does not answer in time/],
    [
      'that hangs amid its answer',
      { interfere: (response) => response.writeHead(200, { 'content-length': 100 }).write('{"metadata"') },
      /does not answer in time/,
    ],
    ['that hangs up', { interfere: (response) => response.destroy() }, /fails: ECONNRESET/],
    [
      'that hangs up amid its answer',
      {
        interfere: (response) =>
          response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy()),
      },
      /fails: ECONNRESET/,
    ],
    ['with garbage', answers(200, `<html>${STATE}`), /something that is no Secret/],
    ['with nothing', answers(200), /something that is no Secret/],
    ['with null', answers(200, 'null'), /something that is no Secret/],
    ['with a list', answers(200, '[]'), /something that is no Secret/],
    ['without a version', secret({}, {}), /something that is no Secret/],
    ['with a numeric version', secret({}, { resourceVersion: 1 }), /something that is no Secret/],
    ['with a state of another type', secret({ state: 1 }), /something that is no Secret/],
    ['without an end', { interfere: pour }, /something that is no Secret/],
    ['with a redirection', answers(302, '', { location: 'http://127.0.0.1:9/' }), /status 302/],
    ['with 500', answers(500, STATE), /status 500/],
    ['with 503', answers(503), /status 503/],
    ['with 429', answers(429), /status 429/],
  ])('%s', async ([, { interfere }, message]) => {
    const api = await KubernetesApi.start(String(message).includes('in time') ? 300 : undefined)
    const before = structuredClone(api.secret)
    for (const attempt of [
      () => open(api.cluster).read(),
      () => open(api.cluster).swap('17', STATE),
      async () => {
        // The read goes well, the update does not.
        const store = open(api.cluster)
        api.interferences.unshift(() => false)
        await store.swap((await store.read()).version, STATE)
      },
    ]) {
      api.interferences.splice(0, Number.POSITIVE_INFINITY, (_request, response) => interfere(response))
      const { message: said, lasting } = await failureOf(attempt())
      expect([said, lasting]).toEqual([expect.stringMatching(message), false])
    }
    expect(api.secret).toEqual(before)
    expect(await open({ ...api.cluster, timeoutMs: 30_000 }).read()).toMatchObject({ version: '17' })
  })

  test('without a date, when its clock is asked for', async () => {
    const api = await KubernetesApi.start()
    api.interferences.push((_request, response) => {
      response.sendDate = false
      return false
    })
    expect((await failureOf(open(api.cluster).read())).message).toMatch(/without a date/)
  })
})

function pour(response: ServerResponse): void {
  const endless = new Readable({
    read() {
      setImmediate(() => this.push(' '.repeat(65_536)))
    },
  })
  response.writeHead(200)
  // The client hangs up, which is an error of the pipe.
  pipeline(endless, response, () => undefined)
}

describe('what an operator must put right is said', () => {
  test.for([
    [401, /refuses the service account's token \(401\)/],
    [403, /its Role must \(403\)/],
    [404, /an empty one must be made first \(404\)/],
    [413, /too large \(413\)/],
    [422, /immutable\? \(422\)/],
  ] as const)('with %i', async ([status, message]) => {
    const api = await KubernetesApi.start()
    api.interferences.push((_request, response) => response.writeHead(status).end(STATE))
    const { message: said, lasting } = await failureOf(open(api.cluster).read())
    expect([said, lasting]).toEqual([expect.stringMatching(message), true])
  })

  test.for(['token', 'ca.crt', 'namespace'])('where there is no %s', async (file) => {
    const api = await KubernetesApi.start()
    await rm(join(api.cluster.folder, file))
    const { message, lasting } = await failureOf(open(api.cluster).read())
    expect([message, lasting]).toEqual([expect.stringMatching(/needs a pod/), true])
    expect(api.calls).toEqual([])
  })

  test('where the token can be no header', async () => {
    const api = await KubernetesApi.start()
    await writeFile(join(api.cluster.folder, 'token'), 'token-\nsplit')
    expect((await failureOf(open(api.cluster).read())).message).toMatch(/fails: ERR_INVALID_CHAR/)
  })
})

test('a server that the cluster does not vouch for is not given the token', async () => {
  const api = await KubernetesApi.start()
  await writeFile(join(api.cluster.folder, 'ca.crt'), (await loopbackCertificate()).cert)
  expect((await failureOf(open(api.cluster).read())).message).toMatch(/fails: [A-Z_]*CERT[A-Z_]*/)
  expect(api.calls).toEqual([])
})

test('an API that is not there is an error', async () => {
  const api = await KubernetesApi.start()
  const { message, lasting } = await failureOf(open({ ...api.cluster, api: 'https://127.0.0.1:9' }).read())
  expect([message, lasting]).toEqual(['the Kubernetes store fails: ECONNREFUSED', false])
})

test('a token that is renewed is used from the next call on', async () => {
  const api = await KubernetesApi.start()
  const store = open(api.cluster)
  await store.read()
  await api.renewToken('second-token')
  expect(await store.read()).toMatchObject({ version: '17' })
  api.token = 'third-token'
  expect(await failureOf(store.read())).toMatchObject({ lasting: true })
})

test('its clock is the Date header', async () => {
  const api = await KubernetesApi.start()
  api.interferences.push((_request, response) => {
    response.setHeader('date', 'Sun, 22 Nov 2026 10:11:12 GMT')
    return false
  })
  expect((await open(api.cluster).read()).now).toBe(Date.UTC(2026, 10, 22, 10, 11, 12))
})

test('an update leaves all else in the Secret as it is', async () => {
  const api = await KubernetesApi.start()
  api.secret.data = { other: 'b3RoZXI=' }
  const { metadata, ...rest } = structuredClone(api.secret)
  const store = open(api.cluster)
  for (const state of ['first', 'second']) {
    expect(await store.swap((await store.read()).version, state)).toBe(true)
    expect(api.secret).toMatchObject({
      ...rest,
      metadata: { ...metadata, resourceVersion: expect.any(String) },
    })
    expect(Buffer.from(`${api.secret.data?.state}`, 'base64').toString()).toBe(state)
  }
  expect(api.secret.metadata.resourceVersion).not.toBe('17')
})

test('it gets and updates one Secret, and asks for nothing else', async () => {
  const api = await KubernetesApi.start()
  const store = open(api.cluster)
  const { version } = await store.read()
  await store.swap(version, 'state')
  await store.swap(version, 'late')
  expect(api.calls).toEqual(['GET', 'PUT', 'GET'])
})

test('an update of somebody else in between is a swap that lost', async () => {
  const api = await KubernetesApi.start()
  const [one, other] = [open(api.cluster), open(api.cluster)]
  const { version } = await one.read()
  expect(await other.swap(version, 'theirs')).toBe(true)
  expect(await one.swap(version, 'ours')).toBe(false)
  expect(api.calls.at(-1)).toBe('PUT')
  expect((await one.read()).state).toBe('theirs')
})

describe('Retry-After', () => {
  test.for([
    ['2', 2],
    ['3600', 30],
    ['soon', undefined],
    ['-1', undefined],
  ] as const)('%s makes it leave the API alone for %s seconds', async ([header, seconds]) => {
    const api = await KubernetesApi.start()
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000_000)
    onTestFinished(() => clock.mockRestore())
    const store = open(api.cluster)
    api.interferences.push((_request, response) =>
      response.writeHead(429, { 'retry-after': header }).end('{"kind":"Status"}'),
    )
    expect((await failureOf(store.read())).retryAfter).toBe(seconds)
    if (seconds !== undefined) {
      clock.mockReturnValue(1_000_000 + seconds * 1000 - 1)
      expect(await failureOf(store.read())).toMatchObject({ retryAfter: 1, lasting: false })
      expect(await failureOf(store.swap('17', 'state'))).toMatchObject({ retryAfter: 1 })
      expect(api.calls).toEqual(['GET'])
      clock.mockReturnValue(1_000_000 + seconds * 1000)
    }
    expect(await store.swap((await store.read()).version, 'state')).toBe(true)
  })
})
