import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  findLease,
  type KeySpace,
  leased,
  MOST_FREE_RANGES,
  released,
  totals,
} from '../../src/key-space/key-space.ts'
import { readKeySpace, writeKeySpace } from '../../src/key-space/key-space-text.ts'
import { sumOf } from '../../src/key-space/ranges.ts'
import { amended, rotated } from '../../src/key-space/rotation.ts'
import { first, SEALED } from './leases.ts'

/** What has become of each of the 256 keys of a byte in this period. */
class Model {
  space = first
  readonly fates = new Array<'left' | 'used' | 'lost' | string>(256).fill('left')
  readonly leases = new Map<string, { next: number; end: number }>()
  readonly #revisions = [1]

  step(next: KeySpace): void {
    this.space = readKeySpace(writeKeySpace(amended(next, 1000)))
    expect(this.space.revision).toBeGreaterThan(this.#revisions.at(-1) ?? 0)
    this.#revisions.push(this.space.revision)
  }

  lease(size: number, demand: number, least: number): void {
    const id = `lease-${this.#revisions.length}`
    const left = this.fates.filter((fate) => fate === 'left').length
    const next = leased(this.space, { length: 1, id, size, demand, least })
    expect(next === undefined).toBe(left < Math.max(least, 1))
    if (next === undefined) return
    this.step(next)
    const [, start = 0, count = 0] = findLease(this.space, 1, id) ?? []
    expect(count).toBeGreaterThan(0)
    for (let number = start; number < start + count; number++) {
      // No number is ever leased to two.
      expect(this.fates[number]).toBe('left')
      this.fates[number] = id
    }
    this.leases.set(id, { next: start, end: start + count })
  }

  deal(which: number, count: number): void {
    const lease = [...this.leases.values()][which % Math.max(this.leases.size, 1)]
    if (lease !== undefined) lease.next = Math.min(lease.next + count, lease.end)
  }

  release(which: number, times: number): void {
    const [id, lease] = [...this.leases][which % Math.max(this.leases.size, 1)] ?? []
    if (id === undefined || lease === undefined) return
    for (let time = 0; time < times; time++) this.step(released(this.space, 1, id, lease.end - lease.next))
    this.leases.delete(id)
    for (const [number, fate] of this.fates.entries()) {
      if (fate === id) this.fates[number] = number < lease.next ? 'used' : 'left'
    }
    this.#settleLost()
  }

  rotate(): void {
    this.step(rotated(this.space, SEALED, 1000))
    this.fates.fill('left')
    this.leases.clear()
  }

  check(): void {
    const count = (fate: string) => this.fates.filter((one) => one === fate).length
    const { whole, used, left, lost, leased } = totals(this.space, 1)
    expect({ used, left, lost }).toEqual({ used: count('used'), left: count('left'), lost: count('lost') })
    expect(leased).toBe(256 - used - left - lost)
    expect(used + left + lost + leased).toBe(whole)
  }

  /** Free numbers that are in no range any more were dropped. */
  #settleLost(): void {
    const { free = [], mark = 0 } = this.space.lengths[1] ?? {}
    expect(free.length).toBeLessThanOrEqual(MOST_FREE_RANGES)
    for (const [number, fate] of this.fates.entries()) {
      const isFree =
        number >= mark || free.some(([start, count]) => number >= start && number < start + count)
      if (fate === 'left' && !isFree) this.fates[number] = 'lost'
    }
    expect(sumOf(free)).toBe(this.fates.slice(0, mark).filter((fate) => fate === 'left').length)
  }
}

test('whatever is done, each key is left, leased to one, used or lost, and the state says how many', () => {
  const nat = fc.nat({ max: 300 })
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant('lease' as const), fc.nat(40), fc.nat(8), fc.nat(8)) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('deal' as const), nat, fc.nat(8), fc.constant(0)) },
    {
      weight: 4,
      arbitrary: fc.tuple(fc.constant('release' as const), nat, fc.integer({ min: 1, max: 2 }), nat),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('rotate' as const), nat, nat, nat) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200, size: 'max' }), (actions) => {
      const model = new Model()
      for (const [kind, one, two, three] of actions) {
        if (kind === 'lease') model.lease(one, two, three)
        else if (kind === 'deal') model.deal(one, two)
        else if (kind === 'release') model.release(one, two)
        else if (three > 280) model.rotate()
        model.check()
      }
    }),
    { numRuns: 150 },
  )
})
