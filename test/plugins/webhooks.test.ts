import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { expect, onTestFinished, test, vi } from 'vitest'
import { MemoryStore } from '../../src/stores/memory.ts'
import { StoreError } from '../../src/stores/store.ts'
import { buildApp, PATIENCE, Recorder, scrape } from '../helper.ts'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`
const OLD_SECRET = `whsec_${randomBytes(32).toString('base64')}`

/** A receiver on the loopback, and what it was sent. */
async function receiver(status: number) {
  const messages: { headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    messages.push({ headers: request.headers, body })
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { messages, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token-of-a-client` }
}

test('receivers are told in the form of Standard Webhooks, and people who was not', async () => {
  const [takes, fails] = [await receiver(204), await receiver(500)]
  const log = new Recorder()
  const app = await buildApp(
    {
      unique: true,
      rotateEvery: 30,
      webhookUrls: `${takes.url} ${fails.url}`,
      webhookSecret: `${SECRET} ${OLD_SECRET}`,
      webhookAllowCidr: '127.0.0.0/8',
    },
    { store: new MemoryStore(), log },
  )
  await vi.waitFor(
    () => expect(Object.keys(app.dealer?.replica.space?.targets ?? {})).toHaveLength(2),
    PATIENCE,
  )
  await app.dealer?.replica.rotate()
  await vi.waitFor(
    () => expect([takes.messages, fails.messages].map(({ length }) => length)).toEqual([1, 1]),
    PATIENCE,
  )

  const { events } = (await app.inject('/rotation')).json()
  const { headers, body } = takes.messages[0] ?? { headers: {}, body: '' }
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'key-server' })
  for (const secret of [SECRET, OLD_SECRET]) {
    const { id, ...event } = events[0]
    expect(id).toBe(1)
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(event)
  }
  await vi.waitFor(async () => {
    expect((await app.inject('/rotation')).json().webhooks).toEqual([
      { webhook: 1, pending: 0, disabled: false, givenUp: [] },
      { webhook: 2, pending: 1, disabled: false, givenUp: [] },
    ])
    const samples = await scrape(app)
    expect(samples.get('webhook_notices_sent_total')).toBe(1)
    expect(samples.get('webhook_notices_failed_total')).toBe(1)
    expect(samples.get('webhook_notices_pending{webhook="1"}')).toBe(0)
    expect(samples.get('webhook_notices_pending{webhook="2"}')).toBe(1)
    expect(samples.get('webhook_notices_given_up{webhook="2"}')).toBe(0)
    expect(samples.get('webhook_disabled{webhook="2"}')).toBe(0)
  }, PATIENCE)
  expect(log.text).toContain('A notice was not taken: status 500')
  expect(log.text).toContain('A webhook has an http URL')
  for (const secret of [SECRET, OLD_SECRET, 'token-of-a-client']) expect(log.text).not.toContain(secret)
})

test('without -webhook-urls nothing says a word of them', async () => {
  const app = await buildApp({ unique: true }, { store: new MemoryStore() })
  expect([...(await scrape(app)).keys()].join()).not.toContain('webhook')
})

test('before the store was read, nothing is said of what was told', async () => {
  class Away extends MemoryStore {
    override async read(): Promise<never> {
      throw new StoreError('the store is away')
    }
  }
  const webhooks = { webhookUrls: 'https://receiver.example', webhookSecret: SECRET }
  const keyspaceSecret = 'a secret of more than 32 bytes for tests'
  const app = await buildApp({ unique: true, keyspaceSecret, ...webhooks }, { store: new Away() })
  const names = [...(await scrape(app)).keys()].filter((name) => name.startsWith('webhook_'))
  expect(names.sort()).toEqual(['webhook_notices_failed_total', 'webhook_notices_sent_total'])
})
