import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Seal } from '../../src/key-space/seal.ts'
import { SharedSpace } from '../../src/key-space/shared-space.ts'
import type { Dealer } from '../../src/keys/dealer.ts'
import { Problem } from '../../src/problems/problems.ts'
import { deal, type Fault, SECRET, World } from '../key-space/world.ts'

const REPLICAS = 3

type Action =
  | { kind: 'deal'; replica: number; length: number; count: number }
  | { kind: 'crash' | 'stop' | 'rotate'; replica: number }
  | { kind: 'pass'; seconds: number }

const replica = fc.nat({ max: REPLICAS - 1 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('deal' as const),
      replica,
      length: fc.constantFrom(1, 1, 2, 3),
      count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 120 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'stop' as const), replica }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const), replica }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(1, 11, 70, 86_400) }),
  },
)
const fault: fc.Arbitrary<Fault> = fc.constantFrom(
  'none',
  'none',
  'none',
  'fails',
  'is beaten',
  'succeeds but fails',
  'succeeds but was beaten',
)

interface Answer {
  readonly period: number
  readonly keys: readonly string[]
}

/** One run of a server: from a crash on, nothing that it began ends. */
class Replica {
  readonly dealer: Promise<Dealer>
  readonly #crash = Promise.withResolvers<'crashed'>()
  #dead = false

  constructor(world: World) {
    this.dealer = world.dealer({ isDead: () => this.#dead, rotateEvery: 1 })
  }

  crash(): void {
    this.#dead = true
    this.#crash.resolve('crashed')
  }

  /** What a client receives; `onDealt` hears of it even if the client does not. */
  async deal(length: number, count: number, onDealt: (answer: Answer) => void): Promise<Answer> {
    const answer = this.dealer.then(async (dealer) => {
      const keys = await deal(dealer, length, count)
      const dealt = { period: dealer.period, keys }
      onDealt(dealt)
      return dealt
    })
    const received = await Promise.race([answer, this.#crash.promise])
    return received === 'crashed' || this.#dead ? { period: 0, keys: [] } : received
  }

  async stop(): Promise<void> {
    await Promise.race([this.dealer.then((dealer) => dealer.close()), this.#crash.promise])
  }
}

/** Replicas that live and die on one world, and every key that was received of them. */
class Life {
  readonly world = new World()
  readonly #received = new Set<string>()
  readonly #dealt = new Map<string, number>()
  readonly #replicas = Array.from({ length: REPLICAS }, () => new Replica(this.world))

  /** Keys of a length that were dealt in a period, received or not. */
  dealt(period: number, length: number): number {
    return this.#dealt.get(`${period} ${length}`) ?? 0
  }

  async act(action: Action): Promise<void> {
    if (action.kind === 'pass') return this.world.clock.pass(action.seconds * 1000)
    const replica = this.#replicas[action.replica] as Replica
    if (action.kind === 'deal') return this.#deal(replica, action.length, action.count)
    if (action.kind === 'rotate') return this.#rotate()
    this.#replicas[action.replica] = new Replica(this.world)
    if (action.kind === 'crash') replica.crash()
    else await replica.stop()
  }

  async end(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.stop()))
  }

  async #deal(replica: Replica, length: number, wanted: number): Promise<void> {
    const count = ({ period, keys }: Answer) =>
      void this.#dealt.set(`${period} ${length}`, this.dealt(period, length) + keys.length)
    const { period, keys } = await replica.deal(length, wanted, count).catch(toNothing)
    for (const key of keys) {
      const name = `${period} ${key}`
      expect(this.#received.has(name), `${name} came twice`).toBe(false)
      this.#received.add(name)
    }
  }

  async #rotate(): Promise<void> {
    const shared = new SharedSpace(this.world.store(), new Seal([SECRET]), this.world.clock)
    await shared.rotate().catch(() => undefined)
  }
}

function toNothing(error: unknown): Answer {
  if (error instanceof Problem) return { period: 0, keys: [] }
  throw error
}

test('no key comes twice in a period, whatever happens to replicas and their store', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(action, { maxLength: 60, size: 'max' }),
      fc.array(fault, { maxLength: 80, size: 'max' }),
      async (scheduler, actions, faults) => {
        const life = new Life()
        life.world.faults = faults
        life.world.turn = () => scheduler.schedule(Promise.resolve())
        const acts = actions.map((action) =>
          scheduler.schedule(Promise.resolve()).then(() => life.act(action)),
        )
        await scheduler.waitFor(Promise.allSettled(acts).then((all) => all.length))
        for (const act of await Promise.allSettled(acts)) if (act.status === 'rejected') throw act.reason
        life.world.faults = []
        await scheduler.waitFor(life.end())
        const { number } = life.world.space.period
        for (const length of [1, 2, 3]) {
          const { whole, used, left, lost, leased } = life.world.totals(length)
          expect(used + left + lost + leased).toBe(whole)
          expect(life.dealt(number, length)).toBeGreaterThanOrEqual(used)
          expect(life.dealt(number, length)).toBeLessThanOrEqual(used + lost + leased)
          if (!actions.some(({ kind }) => kind === 'crash' || kind === 'stop'))
            expect({ leased, lost }).toEqual({ leased: 0, lost: 0 })
        }
      },
    ),
    { numRuns: 100 },
  )
}, 120_000)
