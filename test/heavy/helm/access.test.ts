import { describe, expect, test } from 'vitest'
import { containerOf, expectRefused, hooks, type Manifest, notes, one, podOf, render } from './chart.ts'

const FOLDER = '/run/secrets/key-server'
const VALUES = {
  auth: { apiKeys: { name: 'clients' }, metrics: true },
  rateLimit: { address: 100, client: 50, window: 10, store: { name: 'redis', key: 'url' } },
  trustProxy: '10.42.0.0/16',
  overload: { maxConnections: 10, maxRequestsPerSocket: 20, maxAnswerBytes: 30, maxInFlight: 40, maxLag: 50 },
  tls: { secretName: 'certificate' },
}

const clients = (manifests: readonly Manifest[]) =>
  hooks(manifests, 'test').map(({ spec }) => (spec as unknown as ReturnType<typeof podOf>).containers[0])

describe.for(['Deployment', 'Job'])('the pod of the %s', (kind) => {
  test('has the settings of access, limits, overload and TLS', (context) => {
    const env = containerOf(one(render(context, VALUES), kind)).env ?? []
    expect(Object.fromEntries(env.map(({ name, value }) => [name, value] as const))).toMatchObject({
      API_KEYS_FILE: `${FOLDER}/apiKeysFile`,
      AUTH_METRICS: 'true',
      RATE_LIMIT_ADDRESS: '100',
      RATE_LIMIT_CLIENT: '50',
      RATE_LIMIT_WINDOW: '10',
      RATE_LIMIT_STORE_FILE: `${FOLDER}/rateLimitStore`,
      TRUST_PROXY: '10.42.0.0/16',
      MAX_CONNECTIONS: '10',
      MAX_REQUESTS_PER_SOCKET: '20',
      MAX_ANSWER_BYTES: '30',
      MAX_IN_FLIGHT: '40',
      MAX_LAG: '50',
      TLS_CERT: `${FOLDER}/tlsCert`,
      TLS_KEY: `${FOLDER}/tlsKey`,
    })
  })

  test('has their Secrets in one volume, which follows a Secret that changes', (context) => {
    const manifest = one(render(context, VALUES), kind)
    const source = (name: string, key: string, path: string) => ({ secret: { name, items: [{ key, path }] } })
    expect(podOf(manifest).volumes).toEqual([
      {
        name: 'secrets',
        projected: {
          defaultMode: 0o440,
          sources: [
            source('clients', 'api-keys', 'apiKeysFile'),
            source('redis', 'url', 'rateLimitStore'),
            source('certificate', 'tls.crt', 'tlsCert'),
            source('certificate', 'tls.key', 'tlsKey'),
          ],
        },
      },
    ])
    // A subPath would keep what it was at the start.
    expect(containerOf(manifest).volumeMounts).toEqual([
      { name: 'secrets', mountPath: FOLDER, readOnly: true },
    ])
  })
})

describe('with TLS', () => {
  test('probes and scrapes speak it, and so do the tests and the notes', (context) => {
    const manifests = render(context, {
      ...VALUES,
      auth: {},
      rateLimit: {},
      serviceMonitor: { enabled: true },
    })
    const https = (path: string) =>
      expect.objectContaining({ httpGet: { path, port: 'http', scheme: 'HTTPS' } })
    expect(containerOf(one(manifests, 'Deployment'))).toMatchObject({
      startupProbe: https('/livez'),
      livenessProbe: https('/livez'),
      readinessProbe: https('/readyz'),
    })
    expect(one(manifests, 'ServiceMonitor').spec.endpoints).toEqual([
      {
        port: 'http',
        path: '/metrics',
        interval: '15s',
        scheme: 'https',
        tlsConfig: { insecureSkipVerify: true },
      },
    ])
    for (const client of clients(manifests)) {
      expect(String(client?.args)).toContain("'https://key-server:1123/")
      expect(client?.env).toEqual([{ name: 'NODE_TLS_REJECT_UNAUTHORIZED', value: '0' }])
    }
    const told = notes(context, VALUES)
    expect(told).toContain('are served at https://key-server.')
    expect(told).toContain(
      `printf 'Authorization: Bearer %s' "$API_KEY" | curl --insecure --header @- https://127.0.0.1:1123/key/16`,
    )
  })

  test('without it, none of them does', (context) => {
    const manifests = render(context, { serviceMonitor: { enabled: true } })
    expect(JSON.stringify(manifests)).not.toMatch(
      /https:\/\/key-server|"HTTPS"|tlsConfig|REJECT_UNAUTHORIZED/,
    )
  })
})

describe('the tests of a release', () => {
  test('have no API key, and are told so where one is needed', (context) => {
    const expected = (values: object) =>
      clients(render(context, values)).map((client) => /status === (\d+)/.exec(String(client?.args))?.[1])
    expect(expected({})).toEqual(['200', '400', '200'])
    expect(expected({ auth: { apiKeys: { name: 'clients' } } })).toEqual(['401', '401', '200'])
    expect(expected(VALUES)).toEqual(['401', '401', '401'])
  })
})

describe('a network policy', () => {
  const from = (context: Parameters<typeof render>[0], networkPolicy: object) => {
    const { ingress } = one(
      render(context, { networkPolicy: { enabled: true, ...networkPolicy } }),
      'NetworkPolicy',
    ).spec as { ingress: { from?: object[] }[] }
    return ingress.map((rule) => rule.from)
  }
  const tests = {
    podSelector: {
      matchLabels: {
        'app.kubernetes.io/name': 'key-server-test',
        'app.kubernetes.io/instance': 'key-server',
      },
    },
  }
  const allowed = { namespaceSelector: { matchLabels: { keys: 'allowed' } } }
  const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }

  test('lets everyone in, unless told otherwise', (context) => {
    expect(from(context, {})).toEqual([undefined])
  })

  test('lets in only namespaces with a label, and the tests of the release', (context) => {
    expect(from(context, { fromNamespaces: { keys: 'allowed' } })).toEqual([[allowed, tests]])
  })

  test('lets in others besides', (context) => {
    expect(from(context, { fromNamespaces: { keys: 'allowed' }, from: [monitoring] })).toEqual([
      [allowed, monitoring, tests],
    ])
    expect(from(context, { from: [monitoring] })).toEqual([[monitoring, tests]])
  })
})

test('a Prometheus that must have an API key gets the one that a value names', (context) => {
  const authorization = { credentials: { name: 'prometheus', key: 'api-key' } }
  const manifests = render(context, { ...VALUES, serviceMonitor: { enabled: true, authorization } })
  expect(one(manifests, 'ServiceMonitor').spec.endpoints).toMatchObject([{ authorization }])
})

describe('is refused', () => {
  test.for([
    ['a path', { auth: { apiKeys: '/keys' } }, /auth\/apiKeys.*string.*object/],
    ['a key in a value', { auth: { apiKeys: { value: 'ks_x' } } }, /auth\/apiKeys.*'value' not allowed/],
    ['a URL', { rateLimit: { store: 'redis://redis' } }, /rateLimit\/store.*string.*object/],
    ['a certificate', { tls: { cert: 'PEM' } }, /\/tls.*'cert' not allowed/],
    ['a limit below none', { rateLimit: { client: -1 } }, /rateLimit\/client.*minimum/],
    ['a limit that is none', { overload: { maxConnections: 'many' } }, /maxConnections.*string.*integer/],
    ['an unknown limit', { overload: { maxLags: 5 } }, /\/overload.*'maxLags' not allowed/],
    [
      'a label that is a number',
      { networkPolicy: { fromNamespaces: { a: 1 } } },
      /fromNamespaces\/a.*number/,
    ],
    [
      'a store of limits without a limit',
      { rateLimit: { store: { name: 'redis' } } },
      /rateLimit\.store needs rateLimit\.address or rateLimit\.client/,
    ],
    [
      'a limit by client with nobody to know',
      { rateLimit: { client: 5 } },
      /rateLimit\.client needs auth\.apiKeys\.name/,
    ],
    ['metrics with nobody to know', { auth: { metrics: true } }, /auth\.metrics needs auth\.apiKeys\.name/],
    [
      'a token beside API keys',
      { auth: { apiKeys: { name: 'clients' } }, rotation: { admin: true } },
      /rotation\.admin must be false with auth\.apiKeys/,
    ],
    [
      'a Prometheus without an API key',
      { ...VALUES, serviceMonitor: { enabled: true } },
      /serviceMonitor\.authorization must name the Secret .*scope metrics/,
    ],
    [
      'Redis behind a policy that lets nothing out',
      { rateLimit: { address: 5, store: { name: 'redis' } }, networkPolicy: { enabled: true } },
      /networkPolicy\.egress must let the pods reach what rateLimit\.store names, and DNS/,
    ],
  ] as const)('%s', ([, values, says], context) => {
    expectRefused(context, values, says)
  })
})
