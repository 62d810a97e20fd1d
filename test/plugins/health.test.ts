import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { buildApp, listen, scrape } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { answersIn, converse, counted, kept } from '../tcp.ts'

const KEY = expect.stringMatching(keyPattern(16))
const probes = ['/livez', '/healthz', '/readyz']

describe('a probe', () => {
  test.for(probes)('of %s says ok', async (url) => {
    const app = await buildApp()
    const answer = await app.inject(url)
    expect([answer.statusCode, answer.body]).toEqual([200, 'ok\n'])
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  test.for(probes)('by HEAD of %s has no body', async (url) => {
    const app = await buildApp()
    const answer = await app.inject({ method: 'HEAD', url })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  })

  test('is counted with the others and touches no key metric', async () => {
    const app = await buildApp()
    for (const url of probes) {
      await app.inject(url)
      await app.inject({ method: 'HEAD', url })
    }
    const samples = await scrape(app)
    expect(samples.get('http_status_codes{code="200",handler="other"}')).toBe(6)
    expect(samples.get('http_status_codes{code="200",handler="key"}')).toBe(0)
    expect(samples.get('key_length_distribution_count')).toBe(0)
    expect(samples.get('key_bytes_generated_total')).toBe(0)
  })
})

describe('readiness', () => {
  test('is held back by the first check that has a reason, for as long as it has', async () => {
    const app = await buildApp()
    const reasons: (string | undefined)[] = [undefined, undefined]
    app.health.checks.push(
      () => reasons[0],
      () => reasons[1],
    )
    const readiness = async () => {
      const { statusCode, body } = await app.inject('/readyz')
      return [statusCode, body]
    }
    expect(await readiness()).toEqual([200, 'ok\n'])
    reasons[1] = 'the store is away'
    expect(await readiness()).toEqual([503, 'Not ready: the store is away\n'])
    reasons[0] = 'the tide is out'
    expect(await readiness()).toEqual([503, 'Not ready: the tide is out\n'])
    reasons.fill(undefined)
    expect(await readiness()).toEqual([200, 'ok\n'])
  })

  test('ends with the drain, and neither life nor service does', async () => {
    const app = await buildApp()
    app.health.drain()
    const readiness = await app.inject('/readyz')
    expect([readiness.statusCode, readiness.body]).toEqual([503, 'Not ready: shutting down\n'])
    for (const url of ['/livez', '/healthz', '/key/16']) {
      expect((await app.inject(url)).statusCode).toBe(200)
    }
  })

  test('is a problem document to a client that prefers JSON', async () => {
    const app = await buildApp()
    app.health.drain()
    const answer = await app.inject({ url: '/readyz', headers: { accept: 'application/json' } })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json()).toEqual({
      type: '/problems/not-ready',
      title: 'Not ready',
      status: 503,
      detail: 'Not ready: shutting down',
    })
  })
})

describe('over TCP', () => {
  interface Answer {
    status: number | undefined
    connection: string | undefined
    reused: boolean
  }

  async function client() {
    const { app, port } = await listen()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const ask = (path: string, method = 'GET') =>
      new Promise<Answer>((resolve, reject) => {
        const asked = request({ port, path, method, agent }, async (response) => {
          await text(response)
          const { statusCode: status, headers } = response
          resolve({ status, connection: headers.connection, reused: asked.reusedSocket })
        })
        asked.on('error', reject).end()
      })
    return { app, ask }
  }

  test.for([
    ['GET', '/key/16', 200],
    ['POST', '/key/16', 200],
    ['HEAD', '/key/16', 200],
    ['GET', '/key/0', 400],
    ['GET', '/key/%zz', 400],
    ['GET', `/key/${'9'.repeat(300)}`, 400],
    ['GET', '/%zz', 400],
    ['GET', '/key', 404],
    ['DELETE', '/key/16', 405],
    ['GET', '/livez', 200],
    ['GET', '/readyz', 503],
    ['GET', '/metrics', 200],
  ] as const)('a drain makes %s %s, a %i, the last of its connection', async ([method, path, status]) => {
    const { app, ask } = await client()
    expect(await ask('/livez')).toEqual({ status: 200, connection: 'keep-alive', reused: false })
    app.health.drain()
    expect(await ask(path, method)).toEqual({ status, connection: 'close', reused: true })
    expect(await ask('/livez')).toEqual({ status: 200, connection: 'close', reused: false })
  })

  test('a drain leaves what is pipelined behind an answer unread, unmade and uncounted', async () => {
    const { app, port } = await listen()
    app.health.drain()
    const answers = answersIn(await converse(port, kept('GET', '/key/16').repeat(5)))
    expect(answers).toMatchObject([{ status: 200, headers: { connection: 'close' }, body: KEY }])
    expect(await counted(app)).toEqual(['200 key 1'])
    expect((await scrape(app)).get('keys_generated_total')).toBe(1)
  })

  test('a drain gives garbage behind an answer none of its own', async () => {
    const { app, port } = await listen()
    app.health.drain()
    const answers = answersIn(await converse(port, `${kept('GET', '/livez')}garbage\r\n\r\n`))
    expect(answers).toMatchObject([{ status: 200, headers: { connection: 'close' } }])
    expect(await counted(app)).toEqual(['200 other 1'])
  })

  /** What a connection gets for `rest` whose POST for a key has sent its header before the drain. */
  async function acrossDrain(rest: string) {
    const { app, port } = await listen()
    const client = connect({ host: '127.0.0.1', port })
    onTestFinished(() => void client.destroy())
    const begun = once(app.server, 'request')
    client.write(kept('POST', '/key/16', ['Transfer-Encoding: chunked']))
    await begun
    app.health.drain()
    client.write(rest)
    return { app, answers: answersIn(await text(client)) }
  }

  test('a drain makes a request that had begun before it the last of its connection', async () => {
    const { app, answers } = await acrossDrain('0\r\n\r\n')
    expect(answers).toMatchObject([{ status: 200, headers: { connection: 'close' }, body: KEY }])
    expect(await counted(app)).toEqual(['200 key 1'])
  })
})
