import { stripVTControlCharacters } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createApp } from '../src/app.ts'
import { createLog, type Output } from '../src/log.ts'
import { loggedPath } from '../src/request-log.ts'
import type { Config } from '../src/schemas/settings.ts'
import { PATIENCE, Recorder, settings } from './helper.ts'

vi.setConfig({ testTimeout: 60_000 })

class Terminal extends Recorder {
  readonly isTTY = true
}

async function loggingApp(output: Output, overrides: Partial<Config>): Promise<FastifyInstance> {
  const app = await createApp(settings(overrides), { log: await createLog(output) })
  onTestFinished(() => app.close())
  return app
}

describe('the log', () => {
  test('is JSON, an object a line, where no terminal reads it', async () => {
    const output = new Recorder()
    const log = await createLog(output)
    log.info('first')
    log.warn({ port: 7 }, 'second')
    expect(output.text).toMatch(/\n$/)
    expect(
      output.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { level: 30, msg: 'first' },
      { level: 40, msg: 'second', port: 7 },
    ])
  })

  test('is readable on a terminal, a line each', async () => {
    const output = new Terminal()
    const log = await createLog(output)
    log.info({ port: 7, host: 'a' }, 'hello')
    const text = await vi.waitFor(() => {
      expect(output.text).toMatch(/port.*7/)
      return stripVTControlCharacters(output.text)
    }, PATIENCE)
    expect(text).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: hello \{"port":7,"host":"a"\}\n$/)
  })
})

describe('requests', () => {
  test('are two lines each with -log-requests and one for keys handed out, with no key in any', async () => {
    const output = new Recorder()
    const app = await loggingApp(output, { logRequests: true })
    const answers = [
      await app.inject('/key/16'),
      await app.inject({
        method: 'POST',
        url: '/key/24?prefix=ofaclient_',
        headers: { accept: 'of/a-client' },
      }),
      await app.inject({ url: '/key/0', remoteAddress: '::1' }),
    ]
    const lines = output.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const incoming = (method: string, path: string, remoteAddress: string) => ({
      ...{ msg: 'incoming request', reqId: expect.any(String) },
      ...{ method, path, remoteAddress },
    })
    const completed = (statusCode: number) => ({
      ...{ msg: 'request completed', reqId: expect.any(String) },
      ...{ statusCode, milliseconds: expect.any(Number) },
    })
    const handedOut = (length: number) => ({
      ...{ msg: 'keys handed out', reqId: expect.any(String) },
      ...{ remoteAddress: '127.0.0.1', length, count: 1 },
    })
    expect(lines.map(({ level, time, pid, hostname, ...own }) => own)).toEqual([
      incoming('GET', '/key/16', '127.0.0.1'),
      handedOut(16),
      completed(200),
      incoming('POST', '/key/24', '127.0.0.1'),
      handedOut(24),
      completed(200),
      incoming('GET', '/key/0', '::1'),
      completed(400),
    ])
    expect(new Set(lines.map(({ reqId }) => reqId)).size).toBe(answers.length)
    expect(output.text).not.toContain('ofaclient')
    expect(output.text).not.toContain('of/a-client')
    for (const { statusCode, body } of answers.slice(0, 2)) {
      expect(statusCode).toBe(200)
      expect(output.text).not.toContain(body)
    }
  })

  test.for([
    ['/key/16', '/key/16'],
    ['/key/16?count=1', '/key/16'],
    ['/key/16?a?b', '/key/16'],
    ['/key/16#secret', '/key/16'],
    ['HTTP://user:secret@host/key/16?count=1', '/key/16'],
    ['https://host?secret', ''],
    ['?', ''],
    ['/a\u001b[2J\u007f\r\n', '/a\\u001b[2J\\u007f\\u000d\\u000a'],
    ['/caf\u00e9', '/caf\\u00e9'],
  ] as const)('for %j name the path %j', ([target, path]) => {
    expect(loggedPath(target)).toBe(path)
  })

  test('are none without it, whatever is answered', async () => {
    const output = new Recorder()
    const app = await loggingApp(output, { logRequests: false })
    for (const url of ['/key/16', '/key/0', '/key/%zz', '/no-such-path', '/metrics', '/readyz']) {
      await app.inject(url)
    }
    expect(output.text).toBe('')
  })
})

test.for([true, false])('a failure of the server is logged, with -log-requests=%s', async (logRequests) => {
  const output = new Recorder()
  const app = await loggingApp(output, { logRequests })
  app.counters.handedOut = () => {
    throw new Error('a defect')
  }
  expect(await app.inject('/key/16?prefix=ofaclient_')).toMatchObject({ statusCode: 500 })
  const failures = output.text.split('\n').filter((line) => line.includes('"level":50'))
  expect(failures).toHaveLength(1)
  expect(JSON.parse(`${failures[0]}`)).toMatchObject({
    ...{ method: 'GET', path: '/key/16', err: { message: 'a defect' } },
  })
  expect(output.text).not.toContain('ofaclient')
})
