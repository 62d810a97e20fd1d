import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/stores/store.ts'

/** Makes an empty store, and gives a function that opens it: each call is a replica of its own. */
export type NewStore = () => Promise<() => Store>

async function open(newStore: NewStore, replicas = 1): Promise<[Store, ...Store[]]> {
  const replica = await newStore()
  const stores = Array.from({ length: replicas }, replica)
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()))
  })
  return stores as [Store, ...Store[]]
}

/** The tests that every store passes. */
export function keepsTheContract(newStore: NewStore): void {
  test('is empty at first, with a version to swap against and a clock', async () => {
    const [store] = await open(newStore)
    const before = Date.now()
    const { state, version, now } = await store.read()
    expect(state).toBeUndefined()
    expect(version).toEqual(expect.any(String))
    // HTTP's clock has whole seconds.
    expect(now).toBeGreaterThan(before - 2000)
    expect(now).toBeLessThan(Date.now() + 2000)
  })

  test('gives back what was swapped in, to every replica', async () => {
    const [one, other] = await open(newStore, 2)
    expect(await one.swap((await one.read()).version, 'first')).toBe(true)
    const first = await other?.read()
    expect(first?.state).toBe('first')
    expect(await other?.swap(`${first?.version}`, 'second')).toBe(true)
    expect((await one.read()).state).toBe('second')
  })

  test('refuses a swap against anything but the latest version, and changes nothing', async () => {
    const [one, other] = await open(newStore, 2)
    const empty = await one.read()
    expect(await one.swap('no-such-version', 'wrong')).toBe(false)
    expect((await one.read()).state).toBeUndefined()
    expect(await one.swap(empty.version, 'first')).toBe(true)
    const first = await one.read()
    expect(await one.swap(first.version, 'second')).toBe(true)
    for (const version of [empty.version, first.version, 'no-such-version', '']) {
      expect(await other?.swap(version, 'wrong')).toBe(false)
    }
    expect((await other?.read())?.state).toBe('second')
  })

  test('has a new version after each swap, even to the same state', async () => {
    const [store] = await open(newStore)
    const versions = [(await store.read()).version]
    for (let swaps = 0; swaps < 5; swaps++) {
      expect(await store.swap(`${versions.at(-1)}`, 'same')).toBe(true)
      versions.push((await store.read()).version)
    }
    expect(new Set(versions).size).toBe(6)
  })

  test('lets one of many swaps at once win, even the first ones', async () => {
    const stores = await open(newStore, 4)
    for (const round of ['the first', 'the second', 'the third']) {
      const versions = await Promise.all(stores.map(async (store) => (await store.read()).version))
      const won = await Promise.all(
        stores.map((store, index) => store.swap(`${versions[index]}`, `${round} by ${index}`)),
      )
      expect(won.filter((one) => one)).toEqual([true])
      expect((await stores[0].read()).state).toBe(`${round} by ${won.indexOf(true)}`)
    }
  })

  test('loses no update of replicas that count together', async () => {
    const stores = await open(newStore, 3)
    const increments = stores.map(async (store) => {
      for (let done = 0; done < 10; ) {
        const { version, state } = await store.read()
        if (await store.swap(version, String(Number(state ?? 0) + 1))) done++
      }
    })
    await Promise.all(increments)
    expect((await stores[0].read()).state).toBe('30')
  })

  test('keeps any text as it is', async () => {
    const [store] = await open(newStore)
    const text = fc
      .string({ unit: 'binary' })
      .filter((value) => value.isWellFormed() && !value.includes('\0'))
    await fc.assert(
      fc.asyncProperty(text, async (state) => {
        expect(await store.swap((await store.read()).version, state)).toBe(true)
        expect((await store.read()).state).toBe(state)
      }),
      { numRuns: 25, examples: [[''], ['{"a":"\'\\u0000"}'], ['é😀\r\n'], ['x'.repeat(300_000)]] },
    )
  })
}
