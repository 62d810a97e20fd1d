import { stripVTControlCharacters } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createApp } from '../src/app.ts'
import { createLog, type Output } from '../src/log.ts'
import type { Config } from '../src/schemas/settings.ts'
import { Recorder, settings } from './helper.ts'

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

  test('is readable on a terminal', async () => {
    const output = new Terminal()
    const log = await createLog(output)
    log.info({ port: 7 }, 'hello')
    const text = await vi.waitFor(() => {
      expect(output.text).toMatch(/port.*7/)
      return stripVTControlCharacters(output.text)
    })
    expect(text).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO: hello\n\s+port: 7\n$/)
  })
})

describe('requests', () => {
  test('are two lines each with -log-requests, and their keys are in none', async () => {
    const output = new Recorder()
    const app = await loggingApp(output, { logRequests: true })
    const answers = [
      await app.inject('/key/16'),
      await app.inject({ method: 'POST', url: '/key/24?format=base64' }),
      await app.inject('/key/0'),
    ]
    const lines = output.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toMatchObject([
      { msg: 'incoming request', req: { method: 'GET', url: '/key/16' } },
      { msg: 'request completed', res: { statusCode: 200 } },
      { msg: 'incoming request', req: { method: 'POST' } },
      { msg: 'request completed', res: { statusCode: 200 } },
      { msg: 'incoming request', req: { url: '/key/0' } },
      { msg: 'request completed', res: { statusCode: 400 } },
    ])
    for (const { statusCode, body } of answers.slice(0, 2)) {
      expect(statusCode).toBe(200)
      expect(output.text).not.toContain(body)
    }
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
  expect(await app.inject('/key/16')).toMatchObject({ statusCode: 500 })
  const failures = output.text.split('\n').filter((line) => line.includes('"level":50'))
  expect(failures).toHaveLength(1)
  expect(JSON.parse(`${failures[0]}`)).toMatchObject({ url: '/key/16', err: { message: 'a defect' } })
})
