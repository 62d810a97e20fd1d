import { describe, expect, test } from 'vitest'
import { CHART, hooks, type Manifest, one, podOf, render } from './chart.ts'

const kinds = (manifests: readonly Manifest[]) => manifests.map(({ kind }) => kind).sort()

const ALWAYS = ['Deployment', 'Job', 'Pod', 'Pod', 'Pod', 'Service', 'ServiceAccount']

describe('what is made', () => {
  test.for([
    ['by default', {}, []],
    ['with two replicas', { replicaCount: 2 }, ['PodDisruptionBudget']],
    ['with none', { replicaCount: 0 }, []],
    [
      'with autoscaling',
      { autoscaling: { enabled: true } },
      ['HorizontalPodAutoscaler', 'PodDisruptionBudget'],
    ],
    [
      'with autoscaling of one',
      { replicaCount: 2, autoscaling: { enabled: true, maxReplicas: 1 } },
      ['HorizontalPodAutoscaler'],
    ],
    ['with a policy', { networkPolicy: { enabled: true } }, ['NetworkPolicy']],
    ['with an ingress', { ingress: { enabled: true } }, ['Ingress']],
    ['with a monitor', { serviceMonitor: { enabled: true } }, ['ServiceMonitor']],
  ] as const)('%s', ([, values, more], context) => {
    expect(kinds(render(context, values))).toEqual([...ALWAYS, ...more].sort())
  })

  test('no account of its own, when another is named or none is to be made', (context) => {
    const account = (serviceAccount: object) => {
      const manifests = render(context, { serviceAccount })
      expect(kinds(manifests)).not.toContain('ServiceAccount')
      return podOf(one(manifests, 'Deployment')).serviceAccountName
    }
    expect(account({ create: false })).toBe('default')
    expect(account({ create: false, name: 'theirs' })).toBe('theirs')
  })

  test('replicas as asked; with autoscaling, and nothing running yet, its least', (context) => {
    expect(one(render(context, { replicaCount: 4 }), 'Deployment').spec.replicas).toBe(4)
    const autoscaling = { enabled: true, minReplicas: 3 }
    expect(one(render(context, { replicaCount: 4, autoscaling }), 'Deployment').spec.replicas).toBe(3)
  })

  test('an autoscaler on CPU whose behaviour can be set', (context) => {
    const behavior = { scaleDown: { stabilizationWindowSeconds: 600 } }
    const autoscaling = { enabled: true, minReplicas: 2, maxReplicas: 5, behavior }
    expect(one(render(context, { autoscaling }), 'HorizontalPodAutoscaler').spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: 'key-server' },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [{ resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 100 } } }],
      behavior,
    })
  })

  test('a budget of one pod at a time', (context) => {
    expect(one(render(context, { replicaCount: 2 }), 'PodDisruptionBudget').spec.maxUnavailable).toBe(1)
  })

  test('a policy that lets in whom a value names, and helm test, and nothing out', (context) => {
    const from = [{ namespaceSelector: { matchLabels: { keys: 'yes' } } }]
    const { spec } = one(render(context, { networkPolicy: { enabled: true, from } }), 'NetworkPolicy')
    const test = { 'app.kubernetes.io/name': 'key-server-test', 'app.kubernetes.io/instance': 'key-server' }
    expect(spec).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ ports: [{ port: 'http' }], from: [...from, { podSelector: { matchLabels: test } }] }],
      egress: [],
    })
    for (const pod of hooks(render(context), 'test')) expect(pod.metadata.labels).toEqual(test)
  })

  test('an ingress to keys alone, of any name or those given', (context) => {
    const rules = (ingress: object) =>
      one(render(context, { ingress: { enabled: true, ...ingress } }), 'Ingress').spec.rules
    const http = (path: string) => ({
      paths: [
        { path, pathType: 'Prefix', backend: { service: { name: 'key-server', port: { name: 'http' } } } },
      ],
    })
    expect(rules({})).toEqual([{ http: http('/key') }])
    expect(rules({ hosts: ['a.example', 'b.example'], paths: ['/'] })).toEqual([
      { http: http('/'), host: 'a.example' },
      { http: http('/'), host: 'b.example' },
    ])
  })

  test('a monitor whose job is key-server, with the labels an operator looks for', (context) => {
    const manifests = render(context, {
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    })
    const monitor = one(manifests, 'ServiceMonitor')
    expect(monitor.metadata.labels.release).toBe('prometheus')
    expect(monitor.spec).toMatchObject({
      jobLabel: 'app.kubernetes.io/name',
      endpoints: [{ port: 'http', path: '/metrics', interval: '15s' }],
    })
    expect(one(manifests, 'Service').metadata.labels['app.kubernetes.io/name']).toBe('key-server')
  })

  test('a service on the server’s port, or on another', (context) => {
    const ports = (values: object) => one(render(context, values), 'Service').spec.ports
    expect(ports({ srvPort: 8080 })).toEqual([{ name: 'http', port: 8080, targetPort: 'http' }])
    expect(ports({ service: { port: 80 } })).toEqual([{ name: 'http', port: 80, targetPort: 'http' }])
    expect(ports({ service: { type: 'NodePort', nodePort: 30080 } })).toEqual([
      { name: 'http', port: 1123, targetPort: 'http', nodePort: 30080 },
    ])
  })

  test('names short enough, whatever the release is called', (context) => {
    const longest = 'a'.repeat(53)
    for (const values of [{}, { fullnameOverride: 'a'.repeat(63) }]) {
      for (const { metadata } of render(context, values, CHART, longest)) {
        expect(metadata.name).toMatch(/^[a-z0-9-]{1,62}[a-z0-9]$/)
      }
    }
  })
})
