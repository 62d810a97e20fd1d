import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { totals } from '../../src/key-space/key-space.ts'
import { readKeySpace } from '../../src/key-space/key-space-text.ts'
import { openStore } from '../../src/stores/open.ts'
import { isIn, numbersOf } from '../keys/numbers.ts'
import { PostgresServer } from './postgres-server.ts'

const SECRET = 'the secret of a chaos test, over 32 bytes'
const SERVERS = 4
const CLIENTS = 2
const MOST_KEYS = 5
const PAUSE_MS = 10

/** How long after the database is back a server may still answer 503: it waits before it asks again. */
const GRACE_MS = 5000

/** Seconds of chaos: `npm run test:chaos` has a minute. */
const SECONDS = Number(process.env.CHAOS_SECONDS ?? 12)

/** Answers that servers gave: the keys of each length, in hexadecimal, and what was wrong. */
class Answers {
  readonly keys = { 2: new Set<string>(), 3: new Set<string>() }
  readonly faults: string[] = []
  served = 0
  /** Until when a 503 is right. */
  awayUntil = 0

  take(length: 2 | 3, status: number, body: string, askedAt: number): void {
    if (status === 503 && askedAt < this.awayUntil) return
    if (status === 409 && length === 2) return
    if (status !== 200) return void this.faults.push(`${length}: ${status} ${body}`)
    this.served++
    for (const key of body.trimEnd().split('\n')) {
      if (this.keys[length].has(key)) this.faults.push(`${key} came twice`)
      this.keys[length].add(key)
    }
  }
}

/** A server process that is started again whenever it is killed. */
class Server {
  readonly #url: string
  #process: ChildProcess | undefined
  origin: string | undefined

  constructor(url: string) {
    this.#url = url
  }

  async start(): Promise<void> {
    const flags = ['-unique', '-host', '127.0.0.1', '-srv-port', '0', '-drain-time', '0']
    const child = spawn(process.execPath, ['dist/server.cjs', ...flags], {
      env: { KEYSPACE_SECRET: SECRET, STORE: this.#url },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process = child
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /Starting server on port (\d+)/.exec(line)?.[1]
      if (port !== undefined) {
        this.origin = `http://127.0.0.1:${port}`
        break
      }
    }
    child.stdout.resume()
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    this.origin = undefined
    const child = this.#process as ChildProcess
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    return (await exited)[0] as number | null
  }
}

async function load(server: Server, answers: Answers, until: number): Promise<void> {
  for (let call = 0; Date.now() < until; call++) {
    const length = call % 2 ? 2 : 3
    const askedAt = Date.now()
    try {
      if (server.origin === undefined) continue
      const answer = await fetch(`${server.origin}/key/${length}?count=${(call % MOST_KEYS) + 1}`)
      answers.take(length, answer.status, await answer.text(), askedAt)
    } catch {
      // The process was killed: what it sent may be lost.
    } finally {
      await sleep(PAUSE_MS)
    }
  }
}

/** Kills servers in turn, and stops and starts the database in between. */
async function wreak(
  servers: Server[],
  database: PostgresServer,
  answers: Answers,
  until: number,
): Promise<number> {
  let kills = 0
  for (let round = 0; Date.now() < until; round++) {
    await sleep(500 + 1000 * Math.random())
    if (round % 4 === 2) {
      answers.awayUntil = Number.POSITIVE_INFINITY
      await database.stop()
      await sleep(1000)
      await database.start()
      answers.awayUntil = Date.now() + GRACE_MS
      continue
    }
    const server = servers[Math.floor(Math.random() * servers.length)] as Server
    await server.stop('SIGKILL')
    kills++
    await server.start()
  }
  return kills
}

test('servers that are killed and a database that goes away never lead to a key twice, and all is accounted for', {
  timeout: (SECONDS + 100) * 1000,
}, async () => {
  const database = await PostgresServer.start()
  onTestFinished(() => database.remove())
  const servers = Array.from({ length: SERVERS }, () => new Server(database.url()))
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.stop('SIGKILL')))
  })
  await Promise.all(servers.map((server) => server.start()))
  const answers = new Answers()
  const until = Date.now() + SECONDS * 1000
  const clients = servers.flatMap((server) =>
    Array.from({ length: CLIENTS }, () => load(server, answers, until)),
  )
  const kills = await wreak(servers, database, answers, until)
  await Promise.all(clients)
  expect(await Promise.all(servers.map((server) => server.stop('SIGTERM')))).toEqual([0, 0, 0, 0])
  expect(answers.faults).toEqual([])
  expect(answers.served).toBeGreaterThan(100)
  expect(kills).toBeGreaterThan(2)

  const store = await openStore(database.url())
  const space = readKeySpace(`${(await store.read()).state}`)
  await store.close()
  for (const length of [2, 3] as const) {
    const { whole, used, left, lost, leased } = totals(space, length)
    const numbers = numbersOf(space, SECRET, length)
    const free = space.lengths[length]?.free
    const received = [...answers.keys[length]].map((key) => numbers.get(key))
    expect(received).not.toContain(undefined)
    expect(received.filter((number = -1) => isIn(free, number))).toEqual([])
    expect(used + left + lost + leased).toBe(whole)
    expect(space.lengths[length]?.leases.length).toBeLessThanOrEqual(2 * kills)
    expect(received.length).toBeLessThanOrEqual(used + lost + leased)
    // What is used and nobody has received was on its way when a process was killed.
    expect(used - received.length).toBeLessThanOrEqual(kills * CLIENTS * MOST_KEYS)
    console.info(
      `${length} bytes: ${received.length} received; ${JSON.stringify({ used, left, lost, leased, kills })}`,
    )
  }
})
