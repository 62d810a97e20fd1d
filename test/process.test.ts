import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Recorder } from './helper.ts'

const PROGRAM = resolve(import.meta.dirname, '../src/server.ts')
const PATIENCE = { timeout: 20_000 }

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'key-server-process-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

function record(stream: Readable): Recorder {
  const recorder = new Recorder()
  stream.setEncoding('utf8').on('data', (chunk: string) => recorder.write(chunk))
  return recorder
}

function start(words: string[], cwd: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [stdout, stderr] = [record(child.stdout), record(child.stderr)]
  const closed = once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal }))
  return { child, stdout, stderr, closed }
}

async function portOf(stdout: Recorder): Promise<number> {
  return await vi.waitFor(() => {
    const port = /"Starting server on port (\d+)\.\.\."/.exec(stdout.text)?.[1]
    expect(port).toBeDefined()
    return Number(port)
  }, PATIENCE)
}

interface Answer {
  readonly status: number | undefined
  readonly body: string
  readonly last: boolean
}

function call(options: RequestOptions): { end(): void; answer: Promise<Answer> } {
  const outgoing = request({ host: '127.0.0.1', path: '/key/16', ...options })
  const answer = once(outgoing, 'response').then(async ([incoming]: IncomingMessage[]) => ({
    status: incoming?.statusCode,
    body: incoming === undefined ? '' : await text(incoming),
    last: incoming?.headers.connection === 'close',
  }))
  outgoing.flushHeaders()
  return { end: () => void outgoing.end(), answer }
}

/** Calls over one connection, each as soon as the one before is answered, until the server ends it. */
async function callOnAndOn(port: number, answers: Answer[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  for (let last = false; !last; ) {
    const { end, answer } = call({ port, agent })
    end()
    const answered = await answer
    answers.push(answered)
    last = answered.last
  }
}

test('SIGTERM loses none of the requests in flight', { timeout: 40_000 }, async () => {
  const { child, stdout, stderr, closed } = start(
    ['-srv-port=0', '-host', '127.0.0.1', '-drain-time=1'],
    await newFolder(),
  )
  const port = await portOf(stdout)
  const answers: Answer[] = []
  const clients = Array.from({ length: 8 }, () => callOnAndOn(port, answers))
  const slow = call({ port, method: 'POST', agent: false })
  await vi.waitFor(() => expect(answers.length).toBeGreaterThan(200), PATIENCE)

  child.kill('SIGTERM')
  await vi.waitFor(() => expect(stdout.text).toContain('Stopping'), PATIENCE)
  slow.end()
  await Promise.all(clients)
  answers.push(await slow.answer)
  expect(await closed).toEqual({ code: 0, signal: null })

  expect(answers.filter(({ status, body }) => status !== 200 || !/^[0-9a-f]{32}$/.test(body))).toEqual([])
  expect(new Set(answers.map(({ body }) => body)).size).toBe(answers.length)
  expect(stderr.text).toBe('')
})

describe('a process that cannot serve says why on stderr and ends', { timeout: 40_000 }, () => {
  test('with 2 for an unreadable .env', async () => {
    const folder = await newFolder()
    await mkdir(join(folder, '.env'))
    const { stdout, stderr, closed } = start(['-srv-port=0'], folder)
    expect(await closed).toEqual({ code: 2, signal: null })
    expect(stderr.text).toMatch(/^key-server: cannot read \.env: .*\n$/)
    expect(stdout.text).toBe('')
  })

  test('with 2 for a flag and a variable that are wrong', async () => {
    const { stdout, stderr, closed } = start(['-no-such-flag'], await newFolder(), { MAX_SIZE: 'abc' })
    expect(await closed).toEqual({ code: 2, signal: null })
    expect(stderr.text).toMatch(/^key-server: .*-no-such-flag.*\nkey-server: .*MAX_SIZE.*\n$/)
    expect(stdout.text).toBe('')
  })

  test('with 1 for a port that is taken', async () => {
    const holder = createServer().listen(0)
    onTestFinished(() => void holder.close())
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const { stdout, stderr, closed } = start([`-srv-port=${port}`], await newFolder())
    expect(await closed).toEqual({ code: 1, signal: null })
    expect(stderr.text).toMatch(new RegExp(`^key-server: port ${port} is already in use.*\n$`))
    expect(stdout.text).toBe('')
  })
})
