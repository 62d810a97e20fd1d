import { expect, test } from 'vitest'
import { containerOf, one, podOf, render, template } from './chart.ts'

const FOLDER = '/run/secrets/key-server'
const VALUES = {
  unique: { enabled: true, store: 'kubernetes', secret: { name: 'ours' } },
  rotateEvery: 90,
  admin: true,
  adminTokenFile: { name: 'administrators' },
  webhookUrls: { name: 'hooks' },
  webhookSecret: { name: 'hooks' },
  webhookAllowCidr: '10.42.0.0/16',
  saltFrom: 'header:x-user-id,ip',
  trustProxy: '10.42.0.0/16',
}

test.for(['Deployment', 'Job'])(
  'the pod of the %s has the settings of rotation and salt',
  (kind, context) => {
    const pod = one(render(context, VALUES), kind)
    const env = Object.fromEntries(
      (containerOf(pod).env ?? []).map(({ name, value }) => [name, value] as const),
    )
    expect(env).toMatchObject({
      ROTATE_EVERY: '90',
      ADMIN: 'true',
      ADMIN_TOKEN_FILE: `${FOLDER}/adminTokenFile`,
      WEBHOOK_URLS_FILE: `${FOLDER}/webhookUrls`,
      WEBHOOK_SECRET_FILE: `${FOLDER}/webhookSecret`,
      WEBHOOK_ALLOW_CIDR: '10.42.0.0/16',
      SALT_FROM: 'header:x-user-id,ip',
      TRUST_PROXY: '10.42.0.0/16',
    })
    const [{ projected }] = podOf(pod).volumes as [{ projected: { sources: object[] } }]
    const source = (name: string, key: string, path: string) => ({ secret: { name, items: [{ key, path }] } })
    expect(projected.sources).toEqual(
      expect.arrayContaining([
        source('administrators', 'admin-token', 'adminTokenFile'),
        source('hooks', 'webhook-urls', 'webhookUrls'),
        source('hooks', 'webhook-secret', 'webhookSecret'),
      ]),
    )
  },
)

test.for([
  ['a path', { adminTokenFile: '/token' }, /adminTokenFile.*string.*object/],
  ['a URL', { webhookUrls: 'https://receiver.example' }, /webhookUrls.*string.*object/],
  ['half a day', { rotateEvery: 0.5 }, /rotateEvery.*integer/],
  ['a day before', { rotateEvery: -1 }, /rotateEvery.*minimum/],
] as const)('%s is refused in place of a value', ([, values, says], context) => {
  const { status, stdout, stderr } = template(context, values)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr.replaceAll('\n', ' ')).toMatch(says)
})
