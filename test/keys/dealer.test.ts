import { describe, expect, test, vi } from 'vitest'
import { Dealer } from '../../src/keys/dealer.ts'
import type { KeySpace } from '../../src/keys/key-space.ts'
import { UnreadableKeySpace, writeKeySpace } from '../../src/keys/key-space-text.ts'
import { Seal, WrongSecret } from '../../src/keys/seal.ts'
import { SharedSpace } from '../../src/keys/shared-space.ts'
import { DAY_MS, rfc3339 } from '../../src/keys/time.ts'
import { KeyspaceExhausted, KeyspaceFenced, KeyspaceUnavailable } from '../../src/problems.ts'
import { StoreError } from '../../src/stores/store.ts'
import { deal, SECRET, World } from './world.ts'

const OTHER_SECRET = 'another secret of more than 32 bytes'

/** Lets everything that needs no time come to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
}

async function rotate(world: World): Promise<void> {
  await new SharedSpace(world.store(), new Seal([SECRET]), world.clock).rotate()
}

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
