import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Process, run } from '../src/cli.ts'
import { usage, version } from '../src/settings/usage.ts'
import { PATIENCE, Recorder } from './helper.ts'
import { keyPattern } from './key-form.ts'

vi.setConfig({ testTimeout: 60_000 })

class FakeProcess extends EventEmitter implements Process {
  readonly argv: readonly string[]
  readonly env: Record<string, string>
  readonly stdout = new Recorder()
  readonly stderr = new Recorder()
  readonly #folder = mkdtempSync(join(tmpdir(), 'key-server-cli-'))

  constructor(words: readonly string[], env: Record<string, string> = {}) {
    super()
    this.argv = ['node', 'server.js', ...words]
    this.env = env
    onTestFinished(() => rmSync(this.#folder, { recursive: true }))
  }

  cwd(): string {
    return this.#folder
  }
}

describe('text that was asked for goes to stdout, and nothing is started', () => {
  test.for([
    ['-h', usage()],
    ['-help', usage()],
    ['--help', usage()],
    ['-version', `${version}\n`],
    ['--version', `${version}\n`],
    ['self-test -help', usage()],
    ['store show -help', usage()],
    ['rotate -help', usage()],
    ['hash-key -help', usage()],
    ['-no-such-flag -help', usage()],
  ] as const)('%s', async ([words, text]) => {
    const process = new FakeProcess(words.split(' '))
    expect(await run(process)).toBe(0)
    expect(process.stdout.text).toBe(text)
    expect(process.stderr.text).toBe('')
    expect(process.eventNames()).toEqual([])
  })
})

describe('what is wrong is named on stderr, with status 2, and nothing is started', () => {
  test.for<[words: string[], env: Record<string, string>, starts: string[]]>([
    [[], { MAX_SIZE: 'abc' }, ['-max-size (MAX_SIZE) must be a whole number']],
    [[], { MAX_SIZE: '0x10' }, ['-max-size (MAX_SIZE) must be a whole number']],
    [[], { SRV_PORT: '70000' }, ['-srv-port (SRV_PORT) must be a whole number']],
    [[], { MIN_SIZE: '9', MAX_SIZE: '8' }, ['-min-size (9) must not be more']],
    [['-no-such-flag'], { MAX_SIZE: 'abc' }, ['unknown flag "-no-such-flag"', '-max-size (MAX_SIZE)']],
    [['serve', 'stray'], {}, ['unexpected argument "stray"']],
    [['self-test', '-no-such-flag'], {}, ['unknown flag "-no-such-flag"']],
    [['no-such-command'], {}, ['unknown command "no-such-command"']],
    [['no-such-command', '-help'], {}, ['unknown command "no-such-command"']],
    [[''], {}, ['unknown command ""']],
    [['store'], {}, ['unknown command "store"']],
    [['store', '-help'], {}, ['unknown command "store"']],
    [['hash-key', 'a b'], {}, ['hash-key takes an id']],
    [['hash-key', 'a', 'root'], {}, ['hash-key: scopes must be some of']],
    [['store', 'hide'], {}, ['unknown command "store hide"']],
    [['rotate', 'stray'], {}, ['unexpected argument "stray"']],
    [['rotate'], { STORE: 'postgres://db/keys' }, ['a postgres store needs KEYSPACE_SECRET']],
    [['store', 'show', 'stray'], {}, ['unexpected argument "stray"']],
    [['store', 'show'], { STORE: 'redis://:hunter2@cache' }, ['-store (STORE) must be the path of a file']],
    [['-unique'], { STORE: 'postgres://db/keys' }, ['a postgres store needs KEYSPACE_SECRET']],
  ])('%j %j', async ([words, env, starts]) => {
    const process = new FakeProcess(words, env)
    expect(await run(process)).toBe(2)
    const lines = process.stderr.text.split('\n')
    expect(lines).toEqual([...starts.map((start) => expect.stringContaining(`key-server: ${start}`)), ''])
    expect(process.stdout.text).toBe('')
    expect(process.eventNames()).toEqual([])
  })
})

test('self-test runs the table with the settings given', async () => {
  const process = new FakeProcess(['self-test', '-max-size', '64'], { MIN_SIZE: '20' })
  expect(await run(process)).toBe(0)
  expect(process.stdout.text).toContain('Valid key length: /key/20 200\n')
  expect(process.stdout.text).toContain('Exceeds maximum key length: /key/65 400\n')
  expect(process.eventNames()).toEqual([])
})

test.for<[words: string[], env: Record<string, string>]>([
  [['store', 'show'], { KEYSPACE_SECRET: 'short' }],
  [['store', 'show', '-unique'], {}],
  [['rotate'], { WEBHOOK_URLS: 'https://receiver.example', ROTATE_EVERY: '90', ADMIN: 'true' }],
  [['rotate', '-min-size=9', '-max-size=8'], { API_KEYS_FILE: '/nonexistent/keys.json' }],
])('%j %j is about the store alone, not about a server', async ([words, env]) => {
  const process = new FakeProcess(words, { STORE: '/nonexistent/keys.db', ...env })
  expect(await run(process)).toBe(1)
  expect(process.stderr.text).toMatch(/^key-server: there is no store: .*\n$/)
  expect(process.eventNames()).toEqual([])
})

test.for([[[]], [['serve']]])('%j serves until a signal', async ([command]) => {
  const process = new FakeProcess([
    ...(command ?? []),
    '-srv-port=0',
    '-host=127.0.0.1',
    '-drain-time=0',
    '-max-size=5',
  ])
  const status = run(process)
  onTestFinished(() => void process.emit('SIGTERM'))
  const port = await vi.waitFor(() => {
    expect(process.stdout.text).toMatch(/Starting server on port \d+\.\.\./)
    return /on port (\d+)/.exec(process.stdout.text)?.[1]
  }, PATIENCE)
  const answer = await fetch(`http://127.0.0.1:${port}/key/5`)
  expect(await answer.text()).toMatch(keyPattern(5))
  process.emit('SIGTERM')
  expect(await status).toBe(0)
  expect(process.stderr.text).toBe('')
})
