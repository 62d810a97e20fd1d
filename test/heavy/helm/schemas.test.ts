import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, type TestContext, test } from 'vitest'
import { needs } from '../../program.ts'
import { KUBERNETES, template } from './chart.ts'

/** Every switch on, and every list and map filled. */
const EVERYTHING = {
  image: { tag: '1', digest: `sha256:${'a'.repeat(64)}`, pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  autoscaling: { enabled: true, behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } },
  service: { type: 'NodePort', port: 80, nodePort: 30080, annotations: { a: 'b' } },
  ingress: {
    enabled: true,
    className: 'traefik',
    hosts: ['keys.example'],
    tls: [{ secretName: 'tls', hosts: ['keys.example'] }],
    annotations: { a: 'b' },
  },
  networkPolicy: {
    enabled: true,
    from: [{ namespaceSelector: {} }],
    egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }],
  },
  serviceAccount: { annotations: { a: 'b' } },
  dashboard: { enabled: true },
  nodeSelector: { disk: 'fast' },
  tolerations: [{ key: 'a', operator: 'Exists' }],
  affinity: { podAntiAffinity: {} },
  priorityClassName: 'first',
  podAnnotations: { a: 'b' },
  unique: { enabled: true, store: 'kubernetes' },
}

/** The other stores of unique keys. */
const STORES = [
  { unique: { enabled: true, volume: { storageClass: 'fast' } } },
  { unique: { enabled: true, store: 'postgres', postgres: { name: 'a' }, oldSecret: { name: 'b' } } },
]

/** Kubernetes' own schemas of one version, out of a Python package that brings them along. */
function schemas(context: TestContext, version: string): string {
  const python = join(dirname(realpathSync(needs('kubernetes-validate', context))), 'python3')
  const code = 'import kubernetes_validate as k; print(k.__path__[0])'
  const source = execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim()
  const folder = join(source, 'kubernetes-json-schema', `v${version}-local-strict`)
  const copy = mkdtempSync(join(tmpdir(), 'key-server-schemas-'))
  onTestFinished(() => rmSync(copy, { recursive: true }))
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'utf8')
    // They take themselves to be at a place on the web.
    const local = text
      .replaceAll('"/api/_definitions.json#', '"_definitions.json#')
      .replace('"$id"', '"$comment"')
    writeFileSync(join(copy, file), local)
  }
  return copy
}

function check(context: TestContext, manifests: readonly string[], version: string) {
  const location = join(schemas(context, version), '{{.ResourceKind}}{{.KindSuffix}}.json')
  const args = ['-strict', '-summary', '-kubernetes-version', version, '-schema-location', location]
  return spawnSync(needs('kubeconform', context), args, { encoding: 'utf8', input: manifests.join('---\n') })
}

const VERSIONS = [KUBERNETES, '1.34.0', '1.37.0']

test.for(VERSIONS)('Kubernetes %s has nothing against what is made', (version, context) => {
  const made = [{}, EVERYTHING, ...STORES].map((values) => template(context, values).stdout)
  const { status, stdout } = check(context, made, version)
  expect(stdout).toMatch(/Summary: 40 resources found .* Invalid: 0, Errors: 0, Skipped: 0/)
  expect(status).toBe(0)
})

test('a field that Kubernetes does not know would be found', (context) => {
  const wrong = template(context).stdout.replace('replicas: 1', 'replica: 1')
  expect(check(context, [wrong], KUBERNETES)).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/Deployment.*replica.*not allowed/),
  })
})
