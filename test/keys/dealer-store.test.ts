import { describe, expect, test, vi } from 'vitest'
import type { KeySpace } from '../../src/key-space/key-space.ts'
import { UnreadableKeySpace, writeKeySpace } from '../../src/key-space/key-space-text.ts'
import { Seal } from '../../src/key-space/seal.ts'
import { Dealer } from '../../src/keys/dealer.ts'
import { KeyspaceFenced, KeyspaceUnavailable } from '../../src/problems/problems.ts'
import { StoreError } from '../../src/stores/store.ts'
import { deal, SECRET, World } from '../key-space/world.ts'
import { rotate, settle } from './dealing.ts'

describe('a store that is away', () => {
  test('stops nobody while a lease lasts, and no longer than 60 s', async () => {
    const world = new World()
    const dealer = await world.dealer()
    await deal(dealer, 8)
    world.faults = Array.from({ length: 10_000 }, () => 'fails' as const)
    const readAt = world.clock.time
    while (world.clock.time <= readAt + 48_000) {
      expect(dealer.ready(8, 1)).toBe(true)
      world.clock.pass(10_000)
      await settle()
    }
    world.clock.time = readAt + 60_000
    expect(dealer.ready(8, 1)).toBe(true)
    world.clock.time = readAt + 60_001
    expect(dealer.ready(8, 1)).toBe(false)
    await expect(deal(dealer, 8)).rejects.toThrow(KeyspaceUnavailable)
    expect(dealer.refusal(8, 1)).toBeInstanceOf(KeyspaceUnavailable)
    world.faults = []
    world.clock.pass(2000)
    await settle()
    await deal(dealer, 8)
    expect(world.log.text.match(/can not be leased/g)).toHaveLength(1)
    expect(world.log.text).toContain('Unique keys can be dealt again')
    expect(dealer.counts.errors).toBeGreaterThan(5)
    await dealer.close()
    expect(world.totals(8)).toMatchObject({ used: 2, leased: 0 })
  })

  test('does not stop a start, but for what only an operator can change', async () => {
    const world = new World()
    world.faults = Array.from({ length: 40 }, () => 'fails' as const)
    const dealer = await world.dealer()
    expect(dealer.period).toBe(0)
    world.faults = []
    world.clock.pass(10_000)
    await settle()
    expect(dealer.period).toBe(1)
    const lasting = { read: () => Promise.reject(new StoreError('wrong password', { lasting: true })) }
    const parts = {
      seal: new Seal([SECRET]),
      log: (await import('pino')).pino({}, world.log),
      clock: world.clock,
    }
    await expect(Dealer.start({ ...parts, store: { ...world.store(), ...lasting } })).rejects.toThrow(
      'wrong password',
    )
  })
})

describe('a store that goes back', () => {
  test.for([
    ['to an older state', (_world: World, older: string | undefined) => older, 'went back to an older state'],
    ['to nothing', () => undefined, 'was emptied'],
    [
      'to another history',
      (world: World, _older: unknown, other: KeySpace) =>
        writeKeySpace({ ...other, revision: world.space.revision + 1000 }),
      'was replaced',
    ],
  ] as const)('%s is fenced for all, until a rotation', async ([, back, reason]) => {
    const world = new World()
    const [one, other] = [await world.dealer(), await world.dealer()]
    const older = world.state
    await deal(one, 1, 20)
    await deal(one, 8, 200)
    const elsewhere = new World()
    await elsewhere.dealer()
    world.state = back(world, older, elsewhere.space)
    world.writes++
    world.clock.pass(10_000)
    await settle()
    expect(world.space.fenced).toContain(reason)
    for (const dealer of [one, other]) {
      world.clock.pass(10_000)
      await settle()
      expect(dealer.fenced).toBe(true)
      await expect(deal(dealer, 8)).rejects.toThrow(KeyspaceFenced)
      expect(dealer.refusal(8, 1)).toBeInstanceOf(KeyspaceFenced)
    }
    await expect(deal(await world.dealer(), 8)).rejects.toThrow(KeyspaceFenced)
    await rotate(world)
    world.clock.pass(10_000)
    await settle()
    for (const dealer of [one, other]) await deal(dealer, 8)
    expect(one.fenced).toBe(false)
  })

  test('deals nothing more even if the fence can not be written', async () => {
    const world = new World()
    const dealer = await world.dealer()
    const older = world.state
    await deal(dealer, 8)
    world.state = older
    world.writes++
    world.faults = ['none', ...Array.from({ length: 100 }, () => 'fails' as const)]
    world.clock.pass(10_000)
    await settle()
    expect(dealer.ready(8, 1)).toBe(false)
    expect(dealer.fenced).toBe(true)
  })
})

test.for(['damaged', '{"version":2}'])(
  'a state that reads %s stops the start and is never overwritten',
  async (state) => {
    const world = new World()
    world.state = state
    await expect(world.dealer()).rejects.toThrow(UnreadableKeySpace)
    expect(world.state).toBe(state)
  },
)

test('a state that is damaged later is left alone, and keys end with their leases', async () => {
  const world = new World()
  const dealer = await world.dealer()
  await deal(dealer, 8)
  world.state = 'damaged'
  world.writes++
  world.clock.pass(10_000)
  await settle()
  expect(dealer.ready(8, 1)).toBe(true)
  world.clock.pass(51_000)
  await settle()
  await expect(deal(dealer, 8)).rejects.toThrow(KeyspaceUnavailable)
  await dealer.close()
  expect(world.state).toBe('damaged')
})

test('a clock that is 5 minutes from that of the store is told of once', async () => {
  const world = new World()
  const dealer = await world.dealer()
  world.clock.skew = 300_001
  for (let read = 0; read < 3; read++) {
    world.clock.pass(10_000)
    await settle()
  }
  expect(world.log.text.match(/differ by more than 5 minutes/g)).toHaveLength(1)
  world.clock.skew = -300_000
  world.clock.pass(10_000)
  await vi.waitFor(() => expect(world.log.text).toContain('agree again'))
  await deal(dealer, 8)
})
