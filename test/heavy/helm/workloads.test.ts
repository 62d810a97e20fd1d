import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { Settings } from '../../../src/schemas/settings.ts'
import { settingsOf, variableOf } from '../../../src/settings/settings.ts'
import { CHART, containerOf, hooks, one, podOf, render } from './chart.ts'

describe('settings', () => {
  test('each reaches the server and its self-test as its variable, with the service’s own default', (context) => {
    const manifests = render(context)
    const expected = settingsOf(Settings)
      .filter(([, { secret, default: value = '' }]) => !secret && value !== '')
      .map(([name, setting]) => ({ name: variableOf(name), value: String(setting.default) }))
    expect(new Set(containerOf(one(manifests, 'Deployment')).env)).toEqual(new Set(expected))
    expect(new Set(containerOf(one(manifests, 'Job')).env)).toEqual(new Set(expected))
  })

  test('large numbers stay whole, and a change of one rolls the pods', (context) => {
    const env = containerOf(one(render(context, { maxSize: 1_048_576, host: '::' }), 'Deployment')).env
    expect(env).toContainEqual({ name: 'MAX_SIZE', value: '1048576' })
    expect(env).toContainEqual({ name: 'HOST', value: '::' })
  })

  test('a secret one is a file of a Secret that exists, in both', (context) => {
    const chart = mkdtempSync(join(tmpdir(), 'key-server-chart-'))
    onTestFinished(() => rmSync(chart, { recursive: true }))
    cpSync(CHART, chart, { recursive: true })
    writeFileSync(
      join(chart, 'settings.json'),
      '[{"name":"apiToken","value":"api.token","secret":true},{"name":"spare","value":"spare","secret":true}]',
    )
    rmSync(join(chart, 'values.schema.json'))
    const values = { api: { token: { name: 'operators', key: 'token' } }, spare: { name: '', key: 'spare' } }
    for (const kind of ['Deployment', 'Job']) {
      const workload = one(render(context, values, chart), kind)
      const file = '/run/secrets/key-server/apiToken'
      expect(containerOf(workload)).toMatchObject({
        env: [
          { name: 'API_TOKEN_FILE', value: file },
          { name: 'UNIQUE', value: 'false' },
        ],
        volumeMounts: [{ name: 'secrets', mountPath: '/run/secrets/key-server', readOnly: true }],
      })
      const items = [{ key: 'token', path: 'apiToken' }]
      expect(podOf(workload).volumes).toEqual([
        {
          name: 'secrets',
          projected: { defaultMode: 0o440, sources: [{ secret: { name: 'operators', items } }] },
        },
      ])
    }
  })
})

describe('the self-test', () => {
  test('runs before anything of the release is there, and depends on none of it', (context) => {
    const manifests = render(context)
    const job = one(manifests, 'Job')
    expect(hooks(manifests, 'pre-install,pre-upgrade')).toEqual([job])
    expect(job.metadata.annotations).toEqual({
      'helm.sh/hook': 'pre-install,pre-upgrade',
      'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
      'helm.sh/hook-output-log-policy': 'hook-failed',
    })
    expect(job.spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: 240,
      ttlSecondsAfterFinished: 86_400,
    })
    const pod = podOf(job)
    expect(pod).toMatchObject({ automountServiceAccountToken: false, restartPolicy: 'Never' })
    expect(pod).not.toHaveProperty('serviceAccountName')
    expect(pod).not.toHaveProperty('volumes')
  })

  test('is the server’s own container but for what it does', (context) => {
    const manifests = render(context, { minSize: 16, image: { tag: 'x' } })
    const { name, ports, livenessProbe, readinessProbe, startupProbe, ...server } = containerOf(
      one(manifests, 'Deployment'),
    )
    const { name: its, args, ...tested } = containerOf(one(manifests, 'Job'))
    expect(tested).toEqual(server)
    expect({ name, its, args }).toEqual({ name: 'key-server', its: 'self-test', args: ['self-test'] })
  })

  test('is selected by no Service, budget or policy, nor are the pods of helm test', (context) => {
    const manifests = render(context, { replicaCount: 2, networkPolicy: { enabled: true } })
    const selector = one(manifests, 'Service').spec.selector as Record<string, string>
    expect(one(manifests, 'PodDisruptionBudget').spec.selector).toEqual({ matchLabels: selector })
    expect(one(manifests, 'NetworkPolicy').spec.podSelector).toEqual({ matchLabels: selector })
    expect(one(manifests, 'Deployment').spec.template?.metadata.labels).toEqual(selector)
    const others = [
      one(manifests, 'Job').spec.template?.metadata,
      ...hooks(manifests, 'test').map((m) => m.metadata),
    ]
    expect(others).toHaveLength(4)
    for (const other of others) expect(other?.labels).not.toMatchObject(selector)
  })
})

describe('pods', () => {
  test('all meet the restricted standard, with a read-only root and no token', (context) => {
    const manifests = render(context)
    const pods = [
      ...['Deployment', 'Job'].map((kind) => podOf(one(manifests, kind))),
      ...hooks(manifests, 'test').map(({ spec }) => spec as unknown as ReturnType<typeof podOf>),
    ]
    expect(pods).toHaveLength(5)
    for (const pod of pods) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          runAsGroup: 1000,
          fsGroup: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            resources: {
              requests: { cpu: '100m', memory: '64Mi' },
              limits: { cpu: '200m', memory: '128Mi' },
            },
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              readOnlyRootFilesystem: true,
            },
          },
        ],
      })
    }
  })

  test.for([
    ['1.31.14', {}, undefined],
    ['1.32.0', {}, '4096 16384 262144'],
    ['1.34.4+k3s1', { sendBufferBytes: 65_536 }, '4096 16384 65536'],
    ['1.34.4+k3s1', { sendBufferBytes: 0 }, undefined],
  ] as const)(
    'bound what the kernel holds for a slow reader: %s, %o',
    ([version, values, value], context) => {
      const manifests = render(context, values, undefined, undefined, version)
      const bound = value === undefined ? undefined : [{ name: 'net.ipv4.tcp_wmem', value }]
      for (const kind of ['Deployment', 'Job']) {
        const { sysctls } = podOf(one(manifests, kind)).securityContext as { sysctls?: unknown }
        expect(sysctls).toEqual(bound)
      }
    },
  )

  test('are probed on the health routes, or where a value says', (context) => {
    const probes = { liveness: { path: '/key/1024' }, readiness: { path: '/metrics' } }
    const probe = (path: string) => expect.objectContaining({ httpGet: { path, port: 'http' } })
    expect(containerOf(one(render(context), 'Deployment'))).toMatchObject({
      startupProbe: probe('/livez'),
      livenessProbe: probe('/livez'),
      readinessProbe: probe('/readyz'),
    })
    expect(containerOf(one(render(context, { probes }), 'Deployment'))).toMatchObject({
      startupProbe: probe('/livez'),
      livenessProbe: probe('/key/1024'),
      readinessProbe: probe('/metrics'),
    })
  })

  test('have longer than the shutdown timeout to end, and are replaced without a gap', (context) => {
    const { spec } = one(render(context, { drainTime: 30, shutdownTimeout: 70 }), 'Deployment')
    expect(spec.template?.spec.terminationGracePeriodSeconds).toBe(75)
    expect(spec.strategy).toEqual({ rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } })
  })

  test('spread over nodes, each version by itself', (context) => {
    const manifest = one(render(context), 'Deployment')
    expect(podOf(manifest).topologySpreadConstraints).toEqual([
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: manifest.spec.selector,
        matchLabelKeys: ['pod-template-hash'],
      },
    ])
  })

  test('go where a person says', (context) => {
    const placement = {
      nodeSelector: { disk: 'fast' },
      tolerations: [{ key: 'a', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'first',
      imagePullSecrets: [{ name: 'registry' }],
    }
    const manifests = render(context, placement)
    expect(podOf(one(manifests, 'Deployment'))).toMatchObject(placement)
    expect(podOf(one(manifests, 'Job'))).toMatchObject(placement)
  })

  test.for([
    [{}, `localhost:5000/key-server:${packageJson.version}`],
    [{ tag: '1.2.3' }, 'localhost:5000/key-server:1.2.3'],
    [
      { repository: 'a/b', digest: `sha256:${'a'.repeat(64)}` },
      `a/b:${packageJson.version}@sha256:${'a'.repeat(64)}`,
    ],
  ] as const)('the image %o is %s', ([image, reference], context) => {
    expect(containerOf(one(render(context, { image }), 'Deployment')).image).toBe(reference)
  })
})
