import { describe, expect, test } from 'vitest'
import { Seal, WrongSecret } from '../../src/key-space/seal.ts'
import { SharedSpace } from '../../src/key-space/shared-space.ts'
import { DAY_MS, rfc3339 } from '../../src/time.ts'
import { deal, SECRET, World } from '../key-space/world.ts'
import { OTHER_SECRET, rotate, settle } from './dealing.ts'

describe('a rotation', () => {
  test('reaches a replica with its next read, and old leases die with their period', async () => {
    const world = new World()
    const dealer = await world.dealer()
    const keys = await deal(dealer, 1, 20)
    await rotate(world)
    expect(dealer.period).toBe(1)
    world.clock.pass(10_000)
    await settle()
    expect(dealer.period).toBe(2)
    expect(dealer.ready(1, 1)).toBe(false)
    expect(await deal(dealer, 1, 20)).not.toEqual(keys)
    const { whole, left, leased, lost } = world.totals(1)
    expect([left + leased, lost]).toEqual([whole, 0])
  })

  test('leaves the old seed for an hour, and then no replica keeps it', async () => {
    const world = new World()
    await world.dealer()
    await rotate(world)
    expect(world.space.ended).toHaveLength(1)
    world.clock.pass(3_599_000)
    await settle()
    expect(world.space.ended).toHaveLength(1)
    world.clock.pass(10_000)
    await settle()
    expect(world.space.ended).toEqual([])
  })
})

describe('a policy', () => {
  const MONTH = 30 * DAY_MS
  const look = async (world: World, milliseconds = 10_000) => {
    world.clock.pass(milliseconds)
    await settle()
  }

  test('ends a period for all replicas within a minute, and each key says when', async () => {
    const world = new World()
    const dealers = [await world.dealer({ rotateEvery: 30 }), await world.dealer({ rotateEvery: 30 })]
    const { startedAt } = world.space.period
    for (const dealer of dealers) {
      await deal(dealer, 2)
      expect(dealer.expires).toBe(rfc3339(startedAt + MONTH))
    }
    await look(world, startedAt + MONTH - 1000 - world.clock.time)
    expect(world.space.period.number).toBe(1)
    await look(world)
    await look(world)
    for (const dealer of dealers) {
      await deal(dealer, 2)
      expect(dealer.period).toBe(2)
      expect(dealer.expires).toBe(rfc3339(world.space.period.startedAt + MONTH))
    }
    expect(world.space.events.map(({ type }) => type)).toEqual(['rotation.upcoming', 'rotation.completed'])
  })

  test('is that of the store where a server has none', async () => {
    const world = new World()
    await (await world.dealer({ rotateEvery: 30 })).close()
    expect((await world.dealer()).expires).toBe(rfc3339(world.space.period.startedAt + MONTH))
    expect((await world.dealer({ rotateEvery: 0 })).expires).toBeUndefined()
  })

  test('that could not be stored at the start is stored later', async () => {
    const world = new World()
    world.faults = Array.from({ length: 20 }, () => 'fails')
    const dealer = await world.dealer({ rotateEvery: 30 })
    expect(world.state).toBeUndefined()
    world.faults = []
    await look(world)
    expect(dealer.expires).toBeDefined()
  })

  test.for([-300_001, 300_001])('ends no period by a server whose clock is %i ms off', async (skew) => {
    const world = new World()
    const dealer = await world.dealer({ rotateEvery: 30 })
    world.clock.skew = skew
    await look(world, MONTH)
    await deal(dealer, 2)
    expect(dealer.period).toBe(1)
    world.clock.skew = skew / 2
    await look(world)
    expect(dealer.period).toBe(2)
  })

  test('ends one once, whoever looks at the same instant and whatever is answered', async () => {
    const world = new World()
    for (let server = 0; server < 5; server++) await world.dealer({ rotateEvery: 30 })
    world.faults = ['none', 'none', 'none', 'none', 'none', 'succeeds but fails', 'is beaten']
    await look(world, MONTH)
    expect(world.space.period.number).toBe(2)
  })

  test('tells who asks for a used-up length when there will be keys again', async () => {
    const world = new World()
    const dealer = await world.dealer({ rotateEvery: 30 })
    await deal(dealer, 1, 256)
    await look(world, MONTH - 100_500)
    const seconds = { headers: { 'retry-after': '101' } }
    await expect(deal(dealer, 1)).rejects.toMatchObject(seconds)
    expect(dealer.refusal(1, 1)).toMatchObject(seconds)
    await look(world, 100_500)
    await deal(dealer, 1)
  })
})

describe('a rotation that is asked for', () => {
  test('happens once when two replicas are asked in the same instant', async () => {
    const world = new World()
    const dealers = [await world.dealer(), await world.dealer(), await world.dealer()]
    const spaces = await Promise.all(dealers.map((dealer) => dealer.replica.rotate()))
    expect(spaces.map(({ period }) => period.number)).toEqual([2, 2, 2])
    expect(world.space.period.number).toBe(2)
  })

  test.for(['succeeds but fails', 'succeeds but was beaten'] as const)(
    'happens once when the swap %s',
    async (fault) => {
      const world = new World()
      const dealer = await world.dealer()
      world.faults = ['none', fault]
      await dealer.replica.rotate()
      expect(world.space.period.number).toBe(2)
      await dealer.replica.rotate()
      expect(world.space.period.number).toBe(3)
    },
  )

  test('is refused to whoever has another secret, and changes nothing', async () => {
    const world = new World()
    await world.dealer()
    const { state } = world
    const stranger = new SharedSpace(world.store(), new Seal([OTHER_SECRET]), world.clock)
    await expect(stranger.rotate()).rejects.toThrow(WrongSecret)
    expect(world.state).toBe(state)
  })

  test('is seen as one by a server that has not seen the fence before it', async () => {
    const world = new World()
    const [sees, sleeps] = [await world.dealer(), await world.dealer()]
    const older = world.state
    await deal(sleeps, 8, 200)
    world.state = older
    world.writes++
    await sees.replica.rotate()
    world.clock.pass(10_000)
    await settle()
    expect(world.space.fenced).toBeUndefined()
    await deal(sleeps, 8)
    expect(sleeps.period).toBe(2)
  })

  test('of a store that went back does not pass for the one that was known', async () => {
    const world = new World()
    const knows = await world.dealer()
    const older = world.state
    await knows.replica.rotate()
    world.state = older
    world.writes++
    const fresh = new SharedSpace(world.store(), new Seal([SECRET]), world.clock)
    for (let change = 0; change < 2; change++) await fresh.amend((space) => ({ ...space }))
    world.clock.time += 5
    await rotate(world)
    expect(world.space.period.number).toBe(2)
    world.clock.pass(10_000)
    await settle()
    expect(world.space.fenced).toContain('went back')
  })
})
