import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Outcome } from '../../src/key-space/notices.ts'
import { DAY_MS } from '../../src/time.ts'
import { type Message, Notifier, type Send } from '../../src/webhooks/notifier.ts'
import { World } from '../key-space/world.ts'

const FAILED: Outcome = { kind: 'failed', reason: 'a test' }

/** Lets everything that needs no time come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 300; turn++) await Promise.resolve()
}

class Receivers {
  /** What came, as `receiver: id of the event`. */
  readonly came: string[] = []
  readonly ids = new Set<string>()
  answer: (message: Message, stop: AbortSignal) => Promise<Outcome> | Outcome = () => ({ kind: 'delivered' })

  readonly send: Send = async (receiver, message, stop) => {
    this.came.push(`${receiver}: ${message.event.id}`)
    this.ids.add(message.id)
    return this.answer(message, stop)
  }
}

/** A server that tells `receivers` of the news of a world. */
async function server(
  world: World,
  receivers: Receivers,
  ids: readonly string[] = ['a'],
  isDead = () => false,
) {
  const dealer = await world.dealer({ isDead, rotateEvery: 30 })
  const { clock } = world
  const log = pino({}, world.log)
  const notifier = new Notifier({ news: dealer.replica, receivers: ids, send: receivers.send, clock, log })
  onTestFinished(() => void notifier.close())
  await settle()
  const look = async (milliseconds = 10_000) => {
    world.clock.pass(milliseconds)
    await settle()
    world.clock.pass(0)
    await settle()
  }
  return { dealer, notifier, look }
}

const target = (world: World, id = 'a') => world.space.targets[id]

describe('a receiver', () => {
  test('is told of each event once, in order, whatever happens meanwhile', async () => {
    const world = new World()
    const receivers = new Receivers()
    const { dealer, look, notifier } = await server(world, receivers, ['a', 'b'])
    expect(receivers.came).toEqual([])
    await look(30 * DAY_MS - 1000)
    await dealer.replica.rotate()
    await look()
    await look()
    expect(receivers.came.toSorted()).toEqual(['a: 1', 'a: 2', 'b: 1', 'b: 2'])
    expect(notifier.counts).toEqual({ sent: 4, failed: 0 })
    expect(receivers.ids.size).toBe(2)
    for (const id of receivers.ids) expect(id).toMatch(/^msg_[\w-]+_\d+_\d$/)
  })

  test('is told of all that waits at one look', async () => {
    const world = new World()
    const receivers = new Receivers()
    const { dealer, look } = await server(world, receivers)
    await look()
    await dealer.replica.rotate()
    await dealer.replica.rotate()
    await look(5000)
    expect(receivers.came).toEqual(['a: 1', 'a: 2'])
  })

  test('is told by one of several servers', async () => {
    const world = new World()
    const receivers = new Receivers()
    const servers = [
      await server(world, receivers),
      await server(world, receivers),
      await server(world, receivers),
    ]
    await servers[0]?.dealer.replica.rotate()
    for (let round = 0; round < 5; round++) await servers[0]?.look()
    expect(receivers.came).toEqual(['a: 1'])
  })

  test('is told again under the same id after a failure, and given up after five', async () => {
    const world = new World()
    const receivers = new Receivers()
    receivers.answer = () => FAILED
    const { dealer, look, notifier } = await server(world, receivers)
    await dealer.replica.rotate()
    // A receiver that fails for a day.
    for (let quarter = 0; quarter < 100; quarter++) await look(900_000)
    expect(receivers.came).toEqual(Array.from({ length: 5 }, () => 'a: 1'))
    expect(receivers.ids.size).toBe(1)
    expect(target(world)).toMatchObject({ givenUp: [1], givenUpCount: 1 })
    expect(notifier.counts).toEqual({ sent: 0, failed: 5 })
    expect(world.log.text.match(/A notice was not taken: a test/g)).toHaveLength(5)
    receivers.answer = () => ({ kind: 'delivered' })
    await dealer.replica.rotate()
    await look()
    expect(receivers.came.at(-1)).toBe('a: 2')
  })

  test('that is gone is told of nothing more, by any server', async () => {
    const world = new World()
    const receivers = new Receivers()
    receivers.answer = () => ({ kind: 'gone' })
    const one = await server(world, receivers)
    await one.dealer.replica.rotate()
    await one.look()
    const other = await server(world, receivers)
    await other.dealer.replica.rotate()
    await other.look()
    expect(receivers.came).toEqual(['a: 1'])
    expect(target(world)?.disabled).toBe(true)
  })

  test('that hangs keeps nobody else waiting', async () => {
    const world = new World()
    const receivers = new Receivers()
    const { dealer, look } = await server(world, receivers, ['a', 'b'])
    receivers.answer = ({ event }) =>
      receivers.came.includes('b: 1') && event.id === 1 ? { kind: 'delivered' } : new Promise(() => undefined)
    await dealer.replica.rotate()
    await look()
    await look()
    expect(receivers.came).toContain('b: 1')
  })
})

test('a crash loses no notice: another server sends it when the claim is void', async () => {
  const world = new World()
  const receivers = new Receivers()
  let dead = false
  const one = await server(world, receivers, ['a'], () => dead)
  const other = await server(world, receivers)
  receivers.answer = () => {
    dead = true
    return new Promise(() => undefined)
  }
  await one.dealer.replica.rotate()
  await one.look()
  expect(receivers.came).toEqual(['a: 1'])
  receivers.answer = () => ({ kind: 'delivered' })
  await other.look(10_000)
  expect(receivers.came).toHaveLength(1)
  await other.look(60_000)
  await other.look()
  expect(receivers.came).toEqual(['a: 1', 'a: 1'])
  expect(receivers.ids.size).toBe(1)
  expect(target(world)?.done).toBe(1)
})

test('a stop breaks off what is being sent, which costs no try', async () => {
  const world = new World()
  const receivers = new Receivers()
  const { dealer, look, notifier } = await server(world, receivers)
  receivers.answer = (_message, stop) =>
    new Promise((resolve) => stop.addEventListener('abort', () => resolve({ kind: 'aborted' })))
  await dealer.replica.rotate()
  await look()
  expect(target(world)).toMatchObject({ attempt: 1, by: expect.stringMatching(/./) })
  await notifier.close()
  expect(target(world)).toMatchObject({ attempt: 0, by: '' })
  await look(DAY_MS)
  expect(receivers.came).toHaveLength(1)
})

test('a store that is away only makes notices late', async () => {
  const world = new World()
  const receivers = new Receivers()
  const { dealer, look } = await server(world, receivers)
  await dealer.replica.rotate()
  world.faults = Array.from({ length: 200 }, () => 'fails')
  await look()
  expect(receivers.came).toEqual([])
  world.faults = []
  await look()
  await vi.waitFor(async () => {
    await look()
    expect(receivers.came).toEqual(['a: 1'])
  })
})
