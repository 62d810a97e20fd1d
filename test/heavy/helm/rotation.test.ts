import { expect, test } from 'vitest'
import { containerOf, expectRefused, one, podOf, render, template } from './chart.ts'

const FOLDER = '/run/secrets/key-server'
const VALUES = {
  unique: { enabled: true, store: 'kubernetes', secret: { name: 'ours' } },
  rotation: { every: 90, admin: true, adminToken: { name: 'administrators' } },
  webhooks: { urls: { name: 'hooks' }, secret: { name: 'hooks' }, allowCidr: '10.42.0.0/16' },
  salt: { from: 'header:x-user-id,ip' },
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
  ['a path', { rotation: { adminToken: '/token' } }, /rotation\/adminToken.*string.*object/],
  ['a URL', { webhooks: { urls: 'https://receiver.example' } }, /webhooks\/urls.*string.*object/],
  ['half a day', { rotation: { every: 0.5 } }, /rotation\/every.*integer/],
  ['a day before', { rotation: { every: -1 } }, /rotation\/every.*minimum/],
  ['a name from the flags', { rotation: { rotateEvery: 30 } }, /\/rotation.*'rotateEvery' not allowed/],
  ['no salt at all', { salt: null }, /missing property 'salt'/],
  ['no source of salt', { salt: { from: null } }, /\/salt.*missing property 'from'/],
  [
    'more than HKDF makes',
    { salt: { from: 'ip' }, maxSize: 16_321 },
    /maxSize must be 16320 or less with salt\.from, not 16321/,
  ],
  [
    'webhooks behind a policy that lets nothing out',
    { unique: { enabled: true }, webhooks: { urls: { name: 'hooks' } }, networkPolicy: { enabled: true } },
    /networkPolicy\.egress must let the pods reach what webhooks\.urls names, and DNS/,
  ],
] as const)('%s is refused in place of a value', ([, values, says], context) => {
  expectRefused(context, values, says)
})

test.for([
  ['salt for all that HKDF makes', { salt: { from: 'ip' }, maxSize: 16_320 }],
  ['larger keys without salt', { maxSize: 16_321 }],
] as const)('%s is taken', ([, values], context) => {
  expect(template(context, values)).toMatchObject({ status: 0, stderr: '' })
})
