import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, onTestFinished, type TestContext, test, vi } from 'vitest'
import { hashSecret, newSecret } from '../../src/access/api-keys.ts'
import { keyForm } from '../../src/keys/encodings.ts'
import { listen, scrape } from '../helper.ts'
import { needs } from '../program.ts'

// Go compiles its standard library first.
vi.setConfig({ testTimeout: 300_000 })

const run = promisify(execFile)
const CLIENTS = resolve(import.meta.dirname, '../../docs/examples/clients')

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface Front {
  readonly url: string
  readonly calls: { method: string; authorization: string; at: number }[]
}

/** A server that answers its calls with `answers`, one after the other, and all further ones with the last. */
async function startFront(...answers: Answer[]): Promise<Front> {
  const calls: Front['calls'] = []
  const server = createServer((request, response) => {
    const { method = '', headers } = request
    const answer = answers[Math.min(calls.length, answers.length - 1)]
    calls.push({ method, authorization: headers.authorization ?? '', at: Date.now() })
    answer?.(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/key/16`, calls }
}

function refuse(status: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => response.writeHead(status, headers).end(`because of ${status}\n`)
}

const hangUp: Answer = (request) => request.socket.destroy()
const breakOff: Answer = (request, response) => {
  response.writeHead(200, { 'Content-Length': 32 })
  response.write('0123456789', () => request.socket.destroy())
}
const sayNothing: Answer = () => {}
/** Never falls silent, and never comes to an end. */
const drip: Answer = (_request, response) => {
  response.writeHead(200, { 'Content-Length': 1_000_000 })
  const timer = setInterval(() => response.write('0'), 100)
  response.on('close', () => clearInterval(timer))
}

/** What a proxy does. */
function passTo(origin: string): Answer {
  return async ({ method = '', url = '', headers }, response) => {
    const { authorization = '' } = headers
    const answer = await fetch(origin + url, { method, headers: { authorization } })
    response.writeHead(answer.status, [...answer.headers].flat()).end(await answer.text())
  }
}

const built = mkdtempSync(join(tmpdir(), 'key-server-test-'))
afterAll(() => rmSync(built, { recursive: true, force: true }))

/** The client in Go, compiled once, as it takes long: its standard library comes first. */
async function compiled(context: TestContext): Promise<string[]> {
  const go = needs('go', context)
  const program = join(built, 'key')
  const env = { ...process.env, GOCACHE: join(built, 'cache'), CGO_ENABLED: '0' }
  if (!existsSync(program)) await run(go, ['build', '-o', program, 'key.go'], { cwd: CLIENTS, env })
  return [program]
}

const clients: [string, (context: TestContext) => string[] | Promise<string[]>][] = [
  ['key.sh', (context) => [needs('sh', context), 'key.sh']],
  ['key.ts', () => [process.execPath, 'key.ts']],
  ['key.py', (context) => [needs('python3', context), 'key.py']],
  ['key.go', compiled],
]

describe.each(clients)('%s', (_name, command) => {
  async function call(context: TestContext, url: string, env: Record<string, string> = {}) {
    const [program = '', ...args] = await command(context)
    const { PATH, HOME } = process.env
    // One that hangs ends with its test.
    const options = {
      cwd: CLIENTS,
      env: { PATH, HOME, ...env },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    } as const
    return await run(program, [...args, url], options).then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({ status: code as unknown, stdout, stderr }),
    )
  }

  test('waits as it is told, asks again after what is of no lasting kind, and takes one key', async (context) => {
    const secret = newSecret()
    const entry = { id: 'a', sha256: hashSecret(secret).toString('hex'), scopes: ['key'] }
    const { app, origin } = await listen(
      { apiKeysFile: 'given' },
      { apiKeys: JSON.stringify({ keys: [entry] }) },
    )
    const date = new Date(Date.now() + 4_000)
    const front = await startFront(
      refuse(503, { 'Retry-After': '1' }),
      refuse(429, { 'Retry-After': date.toUTCString() }),
      hangUp,
      breakOff,
      passTo(origin),
    )
    expect(await call(context, front.url, { KEY_SERVER_API_KEY: secret })).toEqual({
      status: 0,
      stdout: expect.stringMatching(new RegExp(`^${keyForm(16)}\\n$`)),
      stderr: '',
    })
    const expected = { method: 'POST', authorization: `Bearer ${secret}` }
    expect(front.calls).toMatchObject([expected, expected, expected, expected, expected])
    const [first = 0, second = 0, third = 0] = front.calls.map(({ at }) => at)
    expect(second - first).toBeGreaterThanOrEqual(990)
    expect(third).toBeGreaterThanOrEqual(Math.floor(date.getTime() / 1000) * 1000 - 10)
    expect((await scrape(app)).get('keys_generated_total')).toBe(1)
  })

  test('does not ask again where that would not help', async (context) => {
    const { app, origin } = await listen({ apiKeysFile: 'given' }, { apiKeys: '{"keys":[]}' })
    const unauthorized = await startFront(passTo(origin))
    const refused = await call(context, unauthorized.url)
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toMatch(/401 A valid API key is needed/)
    expect(unauthorized.calls).toMatchObject([{ method: 'POST', authorization: '' }])
    expect((await scrape(app)).get('http_status_codes{code="401",handler="key"}')).toBe(1)

    for (const status of [204, 302, 307, 400, 403, 409, 500]) {
      const headers = { 'Retry-After': '1', Location: '/elsewhere' }
      const front = await startFront(refuse(status, headers))
      const { stderr, ...rest } = await call(context, front.url)
      expect(rest).toEqual({ status: 1, stdout: '' })
      expect(stderr).toContain(`${status}`)
      expect(front.calls).toHaveLength(1)
    }
  })

  test('gives up after five tries', async (context) => {
    const front = await startFront(refuse(503))
    const { status, stdout, stderr } = await call(context, front.url)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('503 because of 503')
    expect(front.calls).toHaveLength(5)
  })

  test('gives up at once when it would have to wait beyond its deadline', async (context) => {
    for (const after of ['3600', '9'.repeat(30), 'Fri, 31 Dec 9999 23:59:59 GMT']) {
      const front = await startFront(refuse(429, { 'Retry-After': after }))
      const { status, stderr } = await call(context, front.url)
      expect(status).toBe(1)
      expect(stderr).toContain('429 because of 429')
      expect(front.calls).toHaveLength(1)
    }
  })

  test.for([
    ['says nothing', sayNothing],
    ['never ends its answer', drip],
  ] as const)('keeps its deadline with a server that %s', async ([_what, answer], context) => {
    const front = await startFront(answer)
    const { status, stdout, stderr } = await call(context, front.url, { KEY_SERVER_DEADLINE: '2' })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('no key')
    // Each try may take five seconds: a deadline that is not kept would let it try again.
    expect(front.calls).toHaveLength(1)
  })

  test('asks again after five seconds of silence', async (context) => {
    const front = await startFront(sayNothing, refuse(400))
    expect((await call(context, front.url)).stderr).toContain('400 because of 400')
    expect(front.calls).toHaveLength(2)
  })

  test('says where nobody listens', async (context) => {
    const { stderr, ...rest } = await call(context, 'http://127.0.0.1:9/key/16')
    expect(rest).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^key\.\w+: no key from http:\/\/127\.0\.0\.1:9\/key\/16: .+\n$/)
  })

  test('says what is wrong with a URL that is none', async (context) => {
    const { stderr, ...rest } = await call(context, 'nonsense')
    expect(rest).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^key\.\w+: no key from nonsense: .+\n$/)
  })
})
