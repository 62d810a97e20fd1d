import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { newFolder, PATIENCE, Recorder } from './helper.ts'
import { keyPattern } from './key-form.ts'
import { needs } from './program.ts'

vi.setConfig({ testTimeout: 120_000 })

const PROGRAM = resolve(import.meta.dirname, '../src/server.ts')

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

test('SIGTERM loses none of the requests in flight', async () => {
  const { child, stdout, stderr, closed } = start(
    ['-srv-port=0', '-host', '127.0.0.1', '-drain-time=3', '-shutdown-timeout=60'],
    await newFolder(),
  )
  const port = await portOf(stdout)
  const answers: Answer[] = []
  const clients = Array.from({ length: 8 }, () => callOnAndOn(port, answers))
  const slow = call({ port, method: 'POST', agent: false })
  await vi.waitFor(() => expect(answers.length).toBeGreaterThan(200), PATIENCE)

  child.kill('SIGTERM')
  await vi.waitFor(() => expect(stdout.text).toContain('SIGTERM: unready now, closing in 3 s'), PATIENCE)
  slow.end()
  await Promise.all(clients)
  answers.push(await slow.answer)
  expect(await closed).toEqual({ code: 0, signal: null })

  expect(answers.filter(({ status, body }) => status !== 200 || !keyPattern(16).test(body))).toEqual([])
  expect(new Set(answers.map(({ body }) => body)).size).toBe(answers.length)
  expect(stdout.text).toContain('"Stopped"')
  expect(stderr.text).toBe('')
})

test('two signals in the same moment, as npm passes them on, are one', async () => {
  const { child, stdout, closed } = start(
    ['-srv-port=0', '-host', '127.0.0.1', '-drain-time=1', '-shutdown-timeout=60'],
    await newFolder(),
  )
  await portOf(stdout)
  // A process that is stopped gets them together when it goes on, whatever the machine does in between.
  child.kill('SIGSTOP')
  child.kill('SIGTERM')
  child.kill('SIGINT')
  child.kill('SIGCONT')
  expect(await closed).toEqual({ code: 0, signal: null })
  expect(stdout.text.match(/unready now/g)).toHaveLength(1)
  expect(stdout.text).toContain('"Stopped"')
})

test('a reader of the log that goes away does not stop it', async () => {
  const { child, stdout, stderr, closed } = start(
    ['-srv-port=0', '-host', '127.0.0.1', '-drain-time=0', '-shutdown-timeout=60', '-log-requests'],
    await newFolder(),
  )
  const port = await portOf(stdout)
  child.stdout.destroy()
  await once(child.stdout, 'close')
  for (let calls = 0; calls < 20; calls++) {
    const { end, answer } = call({ port, agent: false })
    end()
    expect(await answer).toMatchObject({ status: 200, body: expect.stringMatching(keyPattern(16)) })
  }
  child.kill('SIGTERM')
  expect(await closed).toEqual({ code: 0, signal: null })
  expect(stderr.text).toBe('')
})

test('a client that never reads is cut off at the end of the shutdown timeout, with status 1', async () => {
  const { child, stdout, closed } = start(
    ['-srv-port=0', '-host', '127.0.0.1', '-drain-time=0', '-shutdown-timeout=1'],
    await newFolder(),
  )
  const client = connect(await portOf(stdout), '127.0.0.1')
  onTestFinished(() => void client.destroy())
  client.on('error', () => undefined)
  client.write('GET /key/1024?count=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(8))
  await once(client, 'readable')
  child.kill('SIGTERM')
  expect(await closed).toEqual({ code: 1, signal: null })
  expect(stdout.text).toContain('still open 1 s after the signal')
})

describe('a process that cannot serve says why on stderr and ends', () => {
  test('with 2 for an .env that is a folder', async () => {
    const folder = await newFolder()
    await mkdir(join(folder, '.env'))
    const { stdout, stderr, closed } = start(['-srv-port=0'], folder)
    expect(await closed).toEqual({ code: 2, signal: null })
    expect(stderr.text).toBe('key-server: cannot read .env: it is not a file\n')
    expect(stdout.text).toBe('')
  })

  test('with 2 for an .env that is a pipe, which nobody writes to', async (context) => {
    const folder = await newFolder()
    execFileSync(needs('mkfifo', context), [join(folder, '.env')])
    const { stdout, stderr, closed } = start(['-srv-port=0'], folder)
    expect(await closed).toEqual({ code: 2, signal: null })
    expect(stderr.text).toBe('key-server: cannot read .env: it is not a file\n')
    expect(stdout.text).toBe('')
  })

  test('with 2 for a flag and a variable that are wrong', async () => {
    const { stdout, stderr, closed } = start(['-no-such-flag'], await newFolder(), { MAX_SIZE: 'abc' })
    expect(await closed).toEqual({ code: 2, signal: null })
    expect(stderr.text).toMatch(/^key-server: .*"-no-such-flag".*\nkey-server: .*MAX_SIZE.*\n$/)
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
