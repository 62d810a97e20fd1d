import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp, listen, scrape } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { exchange, request } from '../tcp.ts'

const JSON_CLIENT = { accept: 'application/json' }

/** Fills a buffer as if by chance, and always the same. */
function sameBytes(bytes: Buffer): void {
  for (let index = 0; index < bytes.length; index++) bytes[index] = ((index * 2654435761) >>> 13) & 255
}

/** The first key of a new server, all of which draw the same bytes. */
async function firstKey(saltFrom: string, call: object = {}, overrides = {}): Promise<string> {
  const app = await buildApp({ saltFrom, ...overrides }, { randomSource: sameBytes })
  const answer = await app.inject({ url: '/key/16', ...call })
  expect(answer.statusCode).toBe(200)
  return answer.body
}

describe('keys are bound', () => {
  const user = (id: string) => ({ headers: { 'x-user-id': id } })

  test('to a header', async () => {
    const alice = await firstKey('header:X-User-Id', user('alice'))
    expect(alice).toMatch(keyPattern(16))
    expect(await firstKey('header:x-user-id', user('alice'))).toBe(alice)
    const others = [
      await firstKey('header:x-user-id', user('bob')),
      await firstKey('header:x-user-id'),
      await firstKey('', user('alice')),
    ]
    expect(new Set([alice, ...others]).size).toBe(4)
  })

  test('to fields in the order of the setting, with nothing lost between them', async () => {
    const keys = [
      await firstKey('header:a,header:b', { headers: { a: 'a|b', b: 'c' } }),
      await firstKey('header:a,header:b', { headers: { a: 'a', b: 'b|c' } }),
      await firstKey('header:b,header:a', { headers: { a: 'a', b: 'b|c' } }),
      await firstKey('header:a,header:b', { headers: { a: 'a' } }),
      await firstKey('header:a,header:b', { headers: { b: 'a' } }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('to the address of the peer, whatever it claims', async () => {
    const from = (remoteAddress: string, headers = {}) => firstKey('ip', { remoteAddress, headers })
    const key = await from('192.0.2.1')
    expect(await from('192.0.2.2')).not.toBe(key)
    expect(await from('::ffff:192.0.2.1')).toBe(key)
    expect(await from('192.0.2.1', { 'x-forwarded-for': '192.0.2.9' })).toBe(key)
  })

  test('to the address that a proxy tells, if it is one of ours', async () => {
    const trustProxy = '10.0.0.0/8'
    const from = (remoteAddress: string, forwarded: string) =>
      firstKey('ip', { remoteAddress, headers: { 'x-forwarded-for': forwarded } }, { trustProxy })
    const key = await firstKey('ip', { remoteAddress: '192.0.2.1' })
    expect(await from('10.1.2.3', '192.0.2.1')).toBe(key)
    expect(await from('10.1.2.3', '198.51.100.7, 192.0.2.1, 10.9.9.9')).toBe(key)
    expect(await from('192.0.2.1', '198.51.100.7')).toBe(key)
    expect(await from('10.1.2.3', '198.51.100.7')).not.toBe(key)
  })

  test('by GET and POST, many at once', async () => {
    const app = await buildApp({ saltFrom: 'header:x-user-id' })
    for (const method of ['GET', 'POST'] as const) {
      const { body } = await app.inject({ method, url: '/key/16?count=100', ...user('alice') })
      expect(new Set(body.trimEnd().split('\n')).size).toBe(100)
    }
  })
})

test('JSON claims no more entropy than there is, and HEAD knows its size', async () => {
  const app = await buildApp({ saltFrom: 'ip' })
  for (const [length, entropyBits] of [
    [16, 128],
    [64, 512],
    [65, 512],
    [1024, 512],
  ] as const) {
    const call = { url: `/key/${length}`, headers: JSON_CLIENT }
    const answer = await app.inject(call)
    expect(answer.json()).toMatchObject({ length, entropyBits })
    const head = await app.inject({ ...call, method: 'HEAD' })
    expect(head.headers['content-length']).toBe(`${answer.body.length}`)
  }
})

test('the longest key is served', async () => {
  const app = await buildApp({ saltFrom: 'ip', maxSize: 16_320 })
  expect((await app.inject('/key/16320')).body).toMatch(keyPattern(16_320))
})

test('short unique keys stay what they are, with all of them coming once', async () => {
  const app = await buildApp({ unique: true, saltFrom: 'header:x-user-id' }, { store: new MemoryStore() })
  const keys: string[] = []
  for (let call = 0; call < 256; call++) {
    keys.push((await app.inject({ url: '/key/1', headers: { 'x-user-id': `${call % 2}` } })).body)
  }
  expect(new Set(keys).size).toBe(256)
})

describe('a salt header', () => {
  const server = () => listen({ saltFrom: 'header:x-user-id' })
  const call = (headers: string[], method = 'GET') => request(method, '/key/16', headers)

  test.for(['GET', 'POST', 'HEAD'])('given twice is refused, by %s', async (method) => {
    const { port } = await server()
    const answer = await exchange(port, call(['X-User-Id: alice', 'x-user-id: bob'], method))
    expect(answer.status).toBe(400)
    if (method !== 'HEAD') expect(answer.body).toBe('The header x-user-id must be given only once\n')
    expect((await exchange(port, call(['X-User-Id: alice', 'X-User: bob'], method))).status).toBe(200)
  })

  test('of 100 KB is too large', async () => {
    const { port } = await server()
    expect((await exchange(port, call([`X-User-Id: ${'x'.repeat(100_000)}`]))).status).toBe(431)
  })

  test('of 15 KB is taken', async () => {
    const { port } = await server()
    expect((await exchange(port, call([`X-User-Id: ${'x'.repeat(15_000)}`]))).status).toBe(200)
  })

  test('with a NUL byte is no HTTP', async () => {
    const { port } = await server()
    expect((await exchange(port, call(['X-User-Id: a\0b']))).status).toBe(400)
  })

  test('of any other bytes is taken as it is', async () => {
    const { port } = await server()
    expect((await exchange(port, call(['X-User-Id: \u00e9\u00ff']))).status).toBe(200)
  })
})

test('fields that a call has not are counted, and nothing else of them is told', async () => {
  const app = await buildApp({ saltFrom: 'key-id,header:X-User-Id,ip' })
  await app.inject('/key/16?count=3')
  await app.inject({ url: '/key/16', headers: { 'x-user-id': '' } })
  await app.inject({ url: '/key/16', headers: { 'x-user-id': 'alice' } })
  await app.inject({ method: 'HEAD', url: '/key/16' })
  const samples = await scrape(app)
  expect(samples.get('salt_fields_missing_total{field="key-id"}')).toBe(3)
  expect(samples.get('salt_fields_missing_total{field="header:x-user-id"}')).toBe(2)
  expect(samples.get('salt_fields_missing_total{field="ip"}')).toBe(0)
  expect([...samples.keys()].join()).not.toContain('alice')
})

test('without -salt-from nothing says a word of it', async () => {
  const app = await buildApp()
  expect(app.salt).toBeUndefined()
  expect([...(await scrape(app)).keys()].join()).not.toContain('salt')
})
