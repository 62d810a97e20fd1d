import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startServer } from './child-server.ts'
import { PostgresServer } from './postgres-server.ts'

const TOKEN = randomBytes(24).toString('base64')
const SECRET = `whsec_${randomBytes(32).toString('base64')}`

/** Longer than a claim of a server that is gone holds, and than others take to see a rotation. */
const LONG = { timeout: 100_000, interval: 200 }

interface Told {
  readonly id: string
  readonly type: string
}

/** A receiver that verifies what it is told, and hangs for as long as it is asked to. */
async function startReceiver() {
  const told: Told[] = []
  const state = { hangs: false }
  const receiver = createServer(async (request: IncomingMessage, response) => {
    const body = (await request.toArray()).join('')
    const headers = request.headers as Record<string, string>
    const { type } = new Webhook(SECRET).verify(body, headers) as { type: string }
    told.push({ id: `${headers['webhook-id']}`, type })
    if (!state.hangs) response.writeHead(204).end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  onTestFinished(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  return { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`, told, state }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'key-server-rotation-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const stores = {
  file: async () => join(folder(), 'keys.db'),
  PostgreSQL: async () => {
    const server = await PostgresServer.start()
    onTestFinished(() => server.remove())
    return server.url()
  },
}

describe.each(Object.entries(stores))('three servers on one store: %s', (_name, openStore) => {
  test('rotate once when asked at the same time, and tell it once more when the teller is killed', async () => {
    const tokenFile = join(folder(), 'token')
    writeFileSync(tokenFile, TOKEN)
    const receiver = await startReceiver()
    const env = {
      STORE: await openStore(),
      KEYSPACE_SECRET: randomBytes(32).toString('base64'),
      ADMIN_TOKEN_FILE: tokenFile,
      WEBHOOK_URLS: receiver.url,
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_ALLOW_CIDR: '127.0.0.0/8',
    }
    const flags = ['-unique', '-admin', '-rotate-every', '30']
    const first = await startServer(flags, env)
    const servers = [first, await startServer(flags, env), await startServer(flags, env)]

    const call = (port: number, path: string, init: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, init)
    const rotate = (port: number, token: string) =>
      call(port, '/rotation', { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    const periods = () =>
      Promise.all(
        servers.map(async ({ port }) => {
          const { headers } = await call(port, '/key/2')
          return headers.get('key-period')
        }),
      )
    const targets = async (port: number) =>
      (await (await call(port, '/metrics')).text()).match(/webhook_notices_pending\{.*\} (\d+)/)?.[1]

    expect(await periods()).toEqual(['1', '1', '1'])
    await vi.waitFor(async () => expect(await targets(first.port)).toBe('0'), LONG)
    expect((await rotate(first.port, `${TOKEN}x`)).status).toBe(401)

    receiver.state.hangs = true
    const answers = await Promise.all(servers.map(({ port }) => rotate(port, TOKEN)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    await vi.waitFor(async () => expect(await periods()).toEqual(['2', '2', '2']), LONG)

    await vi.waitFor(() => expect(receiver.told).toHaveLength(1), LONG)
    for (const { pid } of servers) process.kill(pid, 'SIGKILL')
    receiver.state.hangs = false
    const last = await startServer(flags, env)
    await vi.waitFor(() => expect(receiver.told.length).toBeGreaterThan(1), LONG)
    expect(receiver.told[1]).toEqual(receiver.told[0])
    expect(receiver.told[0]?.type).toBe('rotation.completed')

    const command = spawn(process.execPath, ['dist/server.cjs', 'rotate'], {
      env: { ...env, UNIQUE: 'true' },
      stdio: 'ignore',
    })
    expect(await once(command, 'exit')).toEqual([0, null])
    await vi.waitFor(() => expect(receiver.told).toHaveLength(3), LONG)
    expect((await call(last.port, '/key/2')).headers.get('key-period')).toBe('3')
    expect(receiver.told[2]?.id).not.toBe(receiver.told[0]?.id)
  }, 300_000)
})
