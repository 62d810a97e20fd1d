import { describe, expect, type TestContext, test } from 'vitest'
import { type Container, containerOf, type Manifest, one, podOf, render } from './chart.ts'

const unique = (values: object = {}) => ({ unique: { enabled: true, ...values } })
const KUBERNETES = unique({ store: 'kubernetes' })
const POSTGRES = unique({ store: 'postgres', postgres: { name: 'database' } })

interface Secret extends Manifest {
  readonly immutable?: boolean
  readonly data?: Readonly<Record<string, string>>
}

const named = (manifests: readonly Manifest[], kind: string, name: string) =>
  manifests.find(({ kind: its, metadata }) => its === kind && metadata.name === name) as Secret | undefined
const made = (context: TestContext, values: object) => {
  const before = render(context).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  return render(context, values)
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    .filter((name) => !before.includes(name))
    .sort()
}
const settings = ({ env = [] }: Container) =>
  Object.fromEntries(
    env
      .filter(({ name }) => /UNIQUE|STORE|SECRET/.test(name))
      .map(({ name, value }) => [name, value] as const),
  )

/** No part of the release, as a hook is none: else a rollback could empty it. It is made after the self-test. */
const KEPT = {
  'helm.sh/resource-policy': 'keep',
  'helm.sh/hook': 'pre-install,pre-upgrade',
  'helm.sh/hook-weight': '1',
  'helm.sh/hook-delete-policy': 'hook-failed',
}
const FOLDER = '/run/secrets/key-server'

describe('what is made', () => {
  test.for([
    ['nothing without', {}, []],
    [
      'nothing for a store and secrets that exist',
      unique({ ...POSTGRES.unique, secret: { name: 'ours' } }),
      [],
    ],
    ['a secret for a database', POSTGRES, ['Secret key-server-keyspace']],
    [
      'a secret and a volume for a file',
      unique(),
      ['PersistentVolumeClaim key-server-store', 'Secret key-server-keyspace'],
    ],
    [
      'a secret, the store and its rights for the cluster',
      KUBERNETES,
      ['Role', 'RoleBinding', 'Secret']
        .map((kind) => `${kind} key-server-store`)
        .concat('Secret key-server-keyspace'),
    ],
  ] as const)('%s', ([, values, names], context) => {
    expect(made(context, values)).toEqual([...names].sort())
  })

  test('a secret of 43 letters and digits, which is kept and refuses to change', (context) => {
    const secret = () => named(render(context, KUBERNETES), 'Secret', 'key-server-keyspace')
    const [first, second] = [secret(), secret()]
    expect(first).toMatchObject({ immutable: true, metadata: { annotations: KEPT } })
    const texts = [first, second].map((each) =>
      Buffer.from(each?.data?.['keyspace-secret'] ?? '', 'base64').toString(),
    )
    for (const text of texts) expect(text).toMatch(/^[A-Za-z0-9]{43}$/)
    expect(texts[0]).not.toBe(texts[1])
  })

  test('an empty store in the cluster, which is kept, and which the server alone may get and update', (context) => {
    const manifests = render(context, KUBERNETES)
    const store = named(manifests, 'Secret', 'key-server-store')
    expect(store).toMatchObject({ metadata: { annotations: KEPT } })
    expect(store).not.toHaveProperty('data')
    expect(one(manifests, 'Role')).toMatchObject({
      rules: [
        {
          apiGroups: [''],
          resources: ['secrets'],
          resourceNames: ['key-server-store'],
          verbs: ['get', 'update'],
        },
      ],
    })
    expect(one(manifests, 'RoleBinding')).toMatchObject({
      roleRef: { kind: 'Role', name: 'key-server-store' },
      subjects: [{ kind: 'ServiceAccount', name: 'key-server', namespace: 'keys' }],
    })
  })

  test('a volume that is kept, of the size and class that are asked for', (context) => {
    const volume = { size: '5Gi', storageClass: 'fast' }
    const claim = one(render(context, unique({ volume })), 'PersistentVolumeClaim')
    expect(claim.metadata.annotations).toEqual(KEPT)
    expect(claim.spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '5Gi' } },
    })
    expect(one(render(context, unique()), 'PersistentVolumeClaim').spec).not.toHaveProperty(
      'storageClassName',
    )
  })
})

describe('the server', () => {
  const ours = { secret: { name: 'ours', key: 'now' }, oldSecret: { name: 'theirs', key: 'before' } }
  const own = { name: 'key-server-keyspace', key: 'keyspace-secret' }

  test.for([
    ['a file', unique(), { STORE: '/app/data/key-server.db' }, { keyspaceSecret: own }],
    ['the cluster', KUBERNETES, { STORE: 'kubernetes:key-server-store' }, { keyspaceSecret: own }],
    [
      'a database',
      POSTGRES,
      { STORE_FILE: `${FOLDER}/store` },
      { store: { name: 'database', key: 'store' }, keyspaceSecret: own },
    ],
    [
      'secrets that exist',
      unique({ ...KUBERNETES.unique, ...ours }),
      {
        STORE: 'kubernetes:key-server-store',
        KEYSPACE_OLD_SECRET_FILE: `${FOLDER}/keyspaceOldSecret`,
      },
      { keyspaceSecret: ours.secret, keyspaceOldSecret: ours.oldSecret },
    ],
  ] as const)('has its settings for %s', ([, values, variables, secrets], context) => {
    const server = one(render(context, values), 'Deployment')
    expect(settings(containerOf(server))).toEqual({
      UNIQUE: 'true',
      KEYSPACE_SECRET_FILE: `${FOLDER}/keyspaceSecret`,
      ...variables,
    })
    const [{ projected }] = podOf(server).volumes as [{ projected: { sources: object[] } }]
    const sources = Object.entries(secrets).map(([path, { name, key }]) => ({
      secret: { name, items: [{ key, path }] },
    }))
    expect(projected.sources).toHaveLength(sources.length)
    expect(projected.sources).toEqual(expect.arrayContaining(sources))
  })

  test('mounts the volume where its file is, and ends before the next one begins', (context) => {
    const server = one(render(context, unique()), 'Deployment')
    expect(server.spec.strategy).toEqual({ type: 'Recreate' })
    expect(podOf(server).volumes).toContainEqual({
      name: 'store',
      persistentVolumeClaim: { claimName: 'key-server-store' },
    })
    expect(containerOf(server).volumeMounts).toContainEqual({ name: 'store', mountPath: '/app/data' })
  })

  test('has a token for the cluster alone, and there no other pod has one', (context) => {
    const token = (values: object, kind: string) =>
      podOf(one(render(context, values), kind)).automountServiceAccountToken
    expect([unique(), POSTGRES, KUBERNETES].map((values) => token(values, 'Deployment'))).toEqual([
      false,
      false,
      true,
    ])
    expect(token(KUBERNETES, 'Job')).toBe(false)
    expect(one(render(context, KUBERNETES), 'ServiceAccount')).toHaveProperty(
      'automountServiceAccountToken',
      false,
    )
  })

  test('may reach the API and DNS through a policy, besides what a value says', (context) => {
    const networkPolicy = { enabled: true, egress: [{ ports: [{ port: 8443 }] }] }
    const { egress } = one(render(context, { ...KUBERNETES, networkPolicy }), 'NetworkPolicy').spec
    const ports = [{ port: 443 }, { port: 6443 }, { port: 53 }, { port: 53, protocol: 'UDP' }]
    expect(egress).toEqual([{ ports }, ...networkPolicy.egress])
  })
})

describe('the self-test', () => {
  test.for([
    ['a file', unique(), { STORE: '/app/data/key-server.db' }],
    ['the cluster', KUBERNETES, { STORE: 'kubernetes:key-server-store' }],
    ['a database', POSTGRES, { STORE_FILE: `${FOLDER}/store` }],
  ] as const)(
    'has nothing that the release makes: no secret of it, no volume, for %s',
    ([, values, store], context) => {
      const job = one(render(context, values), 'Job')
      expect(settings(containerOf(job))).toEqual({
        UNIQUE: 'true',
        KEYSPACE_SECRET: expect.stringMatching(/^.{32,}$/),
        ...store,
      })
      expect(JSON.stringify(podOf(job))).not.toMatch(/key-server-keyspace|persistentVolumeClaim/)
    },
  )

  test('reads the secrets that exist as the server does', (context) => {
    const manifests = render(context, unique({ ...POSTGRES.unique, secret: { name: 'ours' } }))
    const [server, job] = ['Deployment', 'Job'].map((kind) => one(manifests, kind)) as [Manifest, Manifest]
    expect(settings(containerOf(job))).toEqual(settings(containerOf(server)))
    expect(podOf(job).volumes).toEqual(podOf(server).volumes)
  })
})
