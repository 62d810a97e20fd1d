import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { showStore } from '../../src/commands/store-show.ts'
import { fenced, type KeySpace, leased, newKeySpace, released } from '../../src/key-space/key-space.ts'
import { writeKeySpace } from '../../src/key-space/key-space-text.ts'
import { SEED_SIZE } from '../../src/key-space/seal.ts'
import { FileStore } from '../../src/stores/file.ts'
import { newFolder, Recorder } from '../helper.ts'

const SEALED = randomBytes(12 + SEED_SIZE + 16).toString('base64')

function space(): KeySpace {
  let made = newKeySpace('the-store', SEALED, Date.UTC(2026, 10, 22, 10, 11, 12))
  const wishes = [
    { length: 2, id: 'a', size: 200, demand: 200, least: 1 },
    { length: 2, id: 'b', size: 100, demand: 100, least: 1 },
    { length: 12, id: 'c', size: 1000, demand: 1000, least: 1 },
  ]
  for (const wish of wishes) made = leased(made, wish) ?? made
  return released(made, 2, 'a', 50)
}

async function storeWith(state?: string): Promise<string> {
  const path = join(await newFolder(), 'keys.db')
  const store = new FileStore(path)
  const { version } = await store.read()
  if (state !== undefined) await store.swap(version, state)
  await store.close()
  return path
}

async function show(setting: string) {
  const [stdout, stderr] = [new Recorder(), new Recorder()]
  return { status: await showStore(setting, stdout, stderr), stdout: stdout.text, stderr: stderr.text }
}

describe('what can not be shown is said in a sentence, with status 1', () => {
  const text = writeKeySpace(space())

  test.for([
    ['a newer version', text.replace('"version":1', '"version":2'), /has version 2.*: run a newer one/],
    ['a damaged state', text.replace('"storeId"', '"stord"'), /is damaged/],
    ['no JSON', `not ${text}`, /is damaged/],
    ['an empty text', '', /is damaged/],
  ] as const)('%s', async ([, state, message]) => {
    const { status, stdout, stderr } = await show(await storeWith(state))
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^key-server: [^\n]+\n$/)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain(SEALED)
  })

  test('no store, and none is made', async () => {
    const folder = await newFolder()
    expect(await show(join(folder, 'keys.db'))).toEqual({
      status: 1,
      stdout: '',
      stderr: 'key-server: there is no store: the file that -store names does not exist\n',
    })
    expect(await readdir(folder)).toEqual([])
  })

  test('a file that is no database', async () => {
    const path = join(await newFolder(), 'keys.db')
    await writeFile(path, 'no database'.repeat(1000))
    const { status, stderr } = await show(path)
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^key-server: the store's file is no database/),
    ])
  })

  test('a database that is away, without its password', async () => {
    const { status, stderr } = await show('postgres://keys:hunter2@127.0.0.1:9/keys')
    expect([status, stderr]).toEqual([1, 'key-server: the PostgreSQL store fails: ECONNREFUSED\n'])
  })
})

test('a store that was never used is said to be empty', async () => {
  expect(await show(await storeWith())).toEqual({
    status: 0,
    stdout: 'The store is empty: no unique key was ever dealt from it\n',
    stderr: '',
  })
})

test('the numbers are those of the state, and no secret is among them', async () => {
  const { status, stdout, stderr } = await show(await storeWith(writeKeySpace(space())))
  expect([status, stderr]).toEqual([0, ''])
  const [store, revision, period, now, ...rest] = stdout.split('\n')
  expect([store, revision, period]).toEqual([
    'store     the-store',
    'revision  1',
    'period    1, since 2026-11-22 10:11:12 UTC',
  ])
  expect(now).toMatch(/^now {7}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, by the store's clock$/)
  expect(rest.map((line) => line.trim().split(/ {2,}/))).toEqual([
    [''],
    ['bytes', 'used', 'left', 'lost', 'leased', 'used up'],
    ['2', '150', '65,286', '0', '100', '0.2 %'],
    ['12', '0', '9,007,199,254,739,991', '0', '1,000', '0.0 %'],
    ['Lengths of up to 15 bytes that are not listed are untouched.'],
    [''],
  ])
  expect(stdout).not.toContain(SEALED)
})

test('the end of a period is shown with its policy', async () => {
  const made = space()
  const ends = { everyDays: 30, at: Date.UTC(2026, 11, 22, 10, 11, 12) }
  const { stdout } = await show(await storeWith(writeKeySpace({ ...made, period: { ...made.period, ends } })))
  expect(stdout).toContain(
    'period    1, since 2026-11-22 10:11:12 UTC, until 2026-12-22 10:11:12 UTC, every 30 days\n',
  )
})

test('a fence is shown, and nothing in a state can steer a terminal', async () => {
  const state = writeKeySpace({ ...fenced(space(), 'went back\u001b[2J', 7), storeId: 'a\u001b]0;b\nc' })
  const { status, stdout } = await show(await storeWith(state))
  expect(status).toBe(0)
  expect(stdout).toContain('store     a?]0;b?c\n')
  expect(stdout).toContain('fenced    went back?[2J: no short key is dealt before a rotation\n')
  expect(stdout).not.toContain('\u001b')
})

test('a time beyond all calendars is no failure', async () => {
  const made = space()
  const state = writeKeySpace({ ...made, period: { ...made.period, startedAt: Number.MAX_SAFE_INTEGER } })
  expect((await show(await storeWith(state))).status).toBe(0)
})
