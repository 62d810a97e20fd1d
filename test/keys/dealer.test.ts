import { describe, expect, test } from 'vitest'
import { WrongSecret } from '../../src/key-space/seal.ts'
import { KeyspaceExhausted, KeyspaceUnavailable } from '../../src/problems/problems.ts'
import { deal, SECRET, World } from '../key-space/world.ts'
import { OTHER_SECRET, rotate, settle } from './dealing.ts'

const leaseOf = (world: World, length: number) => world.space.lengths[length]?.leases

describe('a lease', () => {
  test('is taken at the first key of a length, with 16 keys', async () => {
    const world = new World()
    const dealer = await world.dealer()
    expect(world.space.lengths).toEqual({})
    expect(dealer.ready(8, 1)).toBe(false)
    await deal(dealer, 8)
    expect(leaseOf(world, 8)).toEqual([[expect.stringMatching(/^[\w-]{12}$/), 0, 16]])
    expect(dealer.counts).toEqual({ leases: 1, conflicts: 0, errors: 0 })
  })

  test('is followed by the next when a quarter is left, and nobody waits', async () => {
    const world = new World()
    const dealer = await world.dealer()
    await deal(dealer, 8, 11)
    await settle()
    expect(leaseOf(world, 8)).toHaveLength(1)
    expect(dealer.ready(8, 1)).toBe(true)
    await settle()
    expect(leaseOf(world, 8)).toHaveLength(2)
    await deal(dealer, 8, 4)
    expect(dealer.ready(8, 32)).toBe(true)
  })

  test('doubles while one lasts for less than 10 s, up to its part of what is left', async () => {
    const world = new World()
    const dealer = await world.dealer()
    const sizes = async (pause: number) => {
      await deal(dealer, 2, dealer.totals(2)?.leased ?? 1)
      world.clock.pass(pause)
      await deal(dealer, 2)
      await settle()
      return leaseOf(world, 2)?.at(-1)?.[2]
    }
    await deal(dealer, 2)
    const found = []
    for (let round = 0; round < 6; round++) found.push(await sizes(9999))
    expect(Math.max(...found.map(Number))).toBeGreaterThan(64)
    expect(Math.max(...found.map(Number))).toBeLessThanOrEqual(256)
  })

  test('keeps its size when one lasts for 10 s', async () => {
    const world = new World()
    const dealer = await world.dealer()
    for (const few of [11, 15, 15]) {
      await deal(dealer, 8, few)
      world.clock.pass(10_000)
      await settle()
      await deal(dealer, 8)
      await settle()
    }
    expect(world.space.lengths[8]?.mark).toBe(64)
    expect(leaseOf(world, 8)?.every(([, , count]) => count === 16)).toBe(true)
  })

  test('is as large as those who wait need, all at once', async () => {
    const world = new World()
    const dealer = await world.dealer()
    const keys = await Promise.all([deal(dealer, 1, 40), deal(dealer, 1, 60), deal(dealer, 1, 1)])
    expect(new Set(keys.flat()).size).toBe(101)
    expect(dealer.counts.leases).toBeLessThan(4)
  })

  test('is given back at a stop, as far as it was not dealt', async () => {
    const world = new World()
    const dealer = await world.dealer()
    await deal(dealer, 8, 3)
    await deal(dealer, 1, 1)
    await dealer.close()
    expect(world.totals(8)).toMatchObject({ used: 3, leased: 0, lost: 0 })
    expect(world.totals(1)).toMatchObject({ used: 1, leased: 0, lost: 0 })
    expect(dealer.ready(8, 1)).toBe(false)
    await expect(dealer.more(8, 1)).rejects.toThrow(KeyspaceUnavailable)
  })

  test('is given back even if no answer ever came for it', async () => {
    const world = new World()
    const dealer = await world.dealer()
    world.faults = ['none', 'succeeds but fails', ...Array.from({ length: 40 }, () => 'fails' as const)]
    await expect(deal(dealer, 8)).rejects.toThrow(KeyspaceUnavailable)
    expect(world.totals(8).leased).toBe(16)
    world.faults = []
    await dealer.close()
    expect(world.totals(8)).toMatchObject({ used: 0, leased: 0, lost: 0 })
  })

  test('is found again, and no second one taken, after an answer that was lost', async () => {
    for (const fault of ['succeeds but fails', 'succeeds but was beaten'] as const) {
      const world = new World()
      const dealer = await world.dealer()
      world.faults = ['none', fault]
      await deal(dealer, 8)
      expect(leaseOf(world, 8)).toHaveLength(1)
      world.faults = ['none', fault, ...Array.from({ length: 40 }, () => 'fails' as const)]
      await expect(deal(dealer, 9)).rejects.toThrow(KeyspaceUnavailable)
      world.faults = []
      world.clock.pass(2000)
      await deal(dealer, 9)
      expect(leaseOf(world, 9)).toHaveLength(1)
    }
  })
})

describe('a space that is used up', () => {
  test('is refused, for as many as are missing', async () => {
    const world = new World()
    const dealer = await world.dealer()
    await deal(dealer, 1, 250)
    await expect(deal(dealer, 1, 7)).rejects.toThrow(KeyspaceExhausted)
    expect(world.totals(1).used + world.totals(1).leased).toBeLessThanOrEqual(256)
    await deal(dealer, 1, 6)
    await expect(deal(dealer, 1)).rejects.toThrow(KeyspaceExhausted)
    expect(dealer.refusal(1, 1)).toBeInstanceOf(KeyspaceExhausted)
    expect(dealer.refusal(2, 1)).toBeUndefined()
    await deal(dealer, 2)
  })

  test('is not asked for again at once', async () => {
    const world = new World()
    const dealer = await world.dealer()
    await deal(dealer, 1, 256)
    await settle()
    await expect(deal(dealer, 1)).rejects.toThrow(KeyspaceExhausted)
    const { reads } = world
    for (let call = 0; call < 100; call++) await expect(deal(dealer, 1)).rejects.toThrow(KeyspaceExhausted)
    expect(world.reads).toBe(reads)
    world.clock.pass(2000)
    await rotate(world)
    await deal(dealer, 1)
    expect(dealer.period).toBe(2)
  })
})

describe('a secret', () => {
  test('that is wrong stops the start, and changes nothing', async () => {
    const world = new World()
    await deal(await world.dealer(), 8)
    const { state } = world
    await expect(world.dealer({ secrets: [OTHER_SECRET] })).rejects.toThrow(WrongSecret)
    expect(world.state).toBe(state)
  })

  test('may change while the old one is given too, after which the new one is enough', async () => {
    const world = new World()
    const keys = await deal(await world.dealer(), 1, 20)
    const both = await world.dealer({ secrets: [OTHER_SECRET, SECRET] })
    await both.replica.amend((space) => space)
    keys.push(...(await deal(both, 1, 20)))
    const alone = await world.dealer({ secrets: [OTHER_SECRET] })
    keys.push(...(await deal(alone, 1, 20)))
    expect(new Set(keys).size).toBe(60)
    await expect(world.dealer()).rejects.toThrow(WrongSecret)
  })
})

test('the log holds no secret, no seed and no key', async () => {
  const world = new World()
  const dealer = await world.dealer()
  const keys = await deal(dealer, 8, 4)
  world.faults = ['fails', 'fails', 'fails']
  world.clock.pass(61_000)
  await settle()
  await dealer.close()
  for (const secret of [SECRET, world.space.period.seed, ...keys])
    expect(world.log.text).not.toContain(secret)
})
