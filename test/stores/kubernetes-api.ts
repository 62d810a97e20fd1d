import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import type { Cluster } from '../../src/stores/kubernetes.ts'
import { loopbackCertificate } from '../certificate.ts'
import { newFolder } from '../helper.ts'

const certificate = loopbackCertificate()

const PATH = '/api/v1/namespaces/keys-ns/secrets/keys'

interface Secret {
  metadata: { resourceVersion: string; [name: string]: unknown }
  data?: Record<string, string>
  [name: string]: unknown
}

/** Answers in place of the API, or returns false to let it answer. */
type Interference = (request: IncomingMessage, response: ServerResponse) => unknown

/** As much of the Kubernetes API as one Secret needs, over TLS, with a service account to reach it by. */
export class KubernetesApi {
  token = 'first-token'
  /** As the chart makes it: empty, with labels that must stay. */
  secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: 'keys',
      namespace: 'keys-ns',
      resourceVersion: '17',
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { 'helm.sh/resource-policy': 'keep' },
    },
  }
  readonly calls: string[] = []
  /** Used up one by one, a call each. */
  readonly interferences: Interference[] = []
  readonly cluster: Cluster

  private constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  static async start(timeoutMs = 30_000): Promise<KubernetesApi> {
    const server = createServer(await certificate).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    const { port } = server.address() as AddressInfo
    const folder = await newFolder()
    const api = new KubernetesApi({ api: `https://127.0.0.1:${port}`, folder, timeoutMs })
    await writeFile(join(folder, 'ca.crt'), (await certificate).cert)
    await writeFile(join(folder, 'namespace'), 'keys-ns\n')
    await api.renewToken(api.token)
    server.on('request', (request, response) => void api.#answer(request, response))
    return api
  }

  /** From now on only this token is taken; it stands in the service account's folder. */
  async renewToken(token: string): Promise<void> {
    this.token = token
    await writeFile(join(this.cluster.folder, 'token'), `${token}\n`)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request
    this.calls.push(`${method}`)
    const interfere = this.interferences.shift()
    if (interfere !== undefined && interfere(request, response) !== false) return
    const body = await text(request)
    const answer = (status: number, object: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(object))
    }
    if (headers.authorization !== `Bearer ${this.token}`) return answer(401, { kind: 'Status', code: 401 })
    if (url !== PATH) return answer(404, { kind: 'Status', code: 404 })
    if (method === 'PUT') {
      const sent = JSON.parse(body) as Secret
      if (sent.metadata.resourceVersion !== this.secret.metadata.resourceVersion) {
        return answer(409, { kind: 'Status', code: 409, reason: 'Conflict' })
      }
      // An update that changes nothing makes no new version, as in etcd's case.
      if (JSON.stringify(sent) !== JSON.stringify(this.secret)) {
        const resourceVersion = String(Number(this.secret.metadata.resourceVersion) + 3)
        this.secret = { ...sent, metadata: { ...sent.metadata, resourceVersion } }
      }
    } else if (method !== 'GET') return answer(403, { kind: 'Status', code: 403 })
    answer(200, this.secret)
  }
}
