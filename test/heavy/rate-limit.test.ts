import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { hashSecret, newSecret } from '../../src/access/api-keys.ts'
import { PATIENCE } from '../helper.ts'
import { type ChildServer, POD_HEAP, startServer } from './child-server.ts'
import { PASSWORD, RedisServer } from './redis-server.ts'

async function call({ port }: ChildServer): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/key/16`)
  await answer.text()
  return answer.status
}

async function metric({ port }: ChildServer, name: string): Promise<number> {
  const exposition = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const line = exposition.split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}

/** The answers to `calls` calls, by turns from each of `servers`. */
async function calls(servers: readonly ChildServer[], number: number): Promise<number[]> {
  const statuses: number[] = []
  for (let made = 0; made < number; made++) {
    const server = servers[made % servers.length]
    if (server !== undefined) statuses.push(await call(server))
  }
  return statuses
}

const share = (url: string, limit = 6) => [
  ...['-rate-limit-address', `${limit}`, '-rate-limit-window', '3600', '-rate-limit-store', url],
]

test('two servers share one limit by way of Redis', async (context) => {
  const redis = await RedisServer.start(context)
  const servers = [await startServer(share(redis.url)), await startServer(share(redis.url))]
  expect(await calls(servers, 8)).toEqual([200, 200, 200, 200, 200, 200, 429, 429])
})

test('a client whose id looks like an address is not counted with that address', async (context) => {
  const redis = await RedisServer.start(context)
  const secret = newSecret()
  const entry = { id: '127.0.0.1', sha256: hashSecret(secret).toString('hex'), scopes: ['key'] }
  const file = join(redis.folder, 'keys.json')
  await writeFile(file, JSON.stringify({ keys: [entry] }))
  const server = await startServer([...share(redis.url), '-api-keys-file', file, '-rate-limit-client', '3'])
  const statuses: number[] = []
  for (let made = 0; made < 7; made++) {
    const headers = { authorization: `Bearer ${secret}` }
    statuses.push((await fetch(`http://127.0.0.1:${server.port}/key/16`, { headers })).status)
  }
  // Three by the client's limit, whose refusals count against the address too.
  expect(statuses).toEqual([200, 200, 200, 429, 429, 429, 429])
  const refusals = ['client', 'address'].map((by) => metric(server, `rate_limit_refused_total{by="${by}"}`))
  expect(await Promise.all(refusals)).toEqual([3, 1])
})

test('over TLS they do too, and one that can not check the certificate limits by itself', async (context) => {
  const redis = await RedisServer.start(context, { tls: true })
  const trust = { NODE_EXTRA_CA_CERTS: join(redis.folder, 'cert.pem') }
  const servers = [await startServer(share(redis.url), trust), await startServer(share(redis.url), trust)]
  expect(await calls(servers, 7)).toEqual([200, 200, 200, 200, 200, 200, 429])
  const stranger = await startServer(share(redis.url))
  expect(await calls([stranger], 7)).toEqual([200, 200, 200, 200, 200, 200, 429])
  expect(await metric(stranger, 'rate_limit_store_healthy')).toBe(0)
})

test('a wrong password leaves each server with a limit of its own, and is in no log', async (context) => {
  const redis = await RedisServer.start(context)
  const url = redis.url.replace(PASSWORD, 'letmein')
  const server = await startServer(share(url, 2))
  expect(await calls([server], 3)).toEqual([200, 200, 429])
  expect(server.log.text).toContain('WRONGPASS')
  expect(server.log.text).not.toContain('letmein')
})

test.for(['killed', 'held', 'read-only'] as const)(
  'while Redis is %s each server limits by itself',
  async (how, context) => {
    const redis = await RedisServer.start(context)
    const servers = [await startServer(share(redis.url, 4)), await startServer(share(redis.url, 4))]
    expect(await calls(servers, 5)).toEqual([200, 200, 200, 200, 429])

    if (how === 'killed') await redis.stop()
    else if (how === 'held') redis.hold(true)
    else await redis.readOnly(true)
    // Never unlimited, and never a failure: the local limit begins anew, once on each server.
    expect(await calls(servers, 10)).toEqual([200, 200, 200, 200, 200, 200, 200, 200, 429, 429])
    // What PINGs alone would take for health.
    await sleep(2500)
    await calls(servers, 2)
    for (const server of servers) {
      expect(await metric(server, 'rate_limit_store_healthy')).toBe(0)
      expect(await metric(server, 'http_status_codes{code="500",handler="key"}')).toBe(0)
      expect(server.log.text.match(/The store of rate limits is away/g)).toHaveLength(1)
    }

    if (how === 'killed') await redis.start()
    else if (how === 'held') redis.hold(false)
    else await redis.readOnly(false)
    for (const server of servers) {
      await vi.waitFor(async () => expect(await metric(server, 'rate_limit_store_healthy')).toBe(1), PATIENCE)
      expect(server.log.text).toContain('The store of rate limits is back')
    }
    // Only one that was killed has forgotten.
    expect(await calls(servers, 5)).toEqual(
      how === 'killed' ? [200, 200, 200, 200, 429] : [429, 429, 429, 429, 429],
    )
  },
)

/** The statuses of an answer to each of the addresses from `from` to `to` of the loopback, which has 16 million. */
async function flood({ port }: ChildServer, from: number, to: number): Promise<Set<string>> {
  const found = new Set<string>()
  let next = from
  const visit = async () => {
    while (next < to) {
      const number = next++
      const localAddress = `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`
      const socket = connect({ host: '127.0.0.1', port, localAddress })
      socket.write('GET /key/16 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      found.add((await text(socket)).slice(9, 12))
    }
  }
  await Promise.all(Array.from({ length: 50 }, visit))
  return found
}

test('addresses beyond number make room for each other in the heap of a pod of 128Mi', async () => {
  const server = await startServer(['-rate-limit-address', '1', '-rate-limit-window', '3600'], {}, POD_HEAP)
  expect(await flood(server, 0, 30_000)).toEqual(new Set(['200']))
  // The last ones are remembered, the first ones are not.
  expect(await flood(server, 29_000, 30_000)).toEqual(new Set(['429']))
  expect(await flood(server, 0, 1000)).toEqual(new Set(['200']))
})
