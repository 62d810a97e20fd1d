// A process of its own with a file store, for test/stores/file.test.ts: does what its first argument says.
import { setTimeout as sleep } from 'node:timers/promises'
import { FileStore } from '../../src/stores/file.ts'
import { StoreError } from '../../src/stores/store.ts'

const [action = '', path = ''] = process.argv.slice(2)
const store = new FileStore(path)
const say = (text: string) => process.stdout.write(`${text}\n`)

async function trySwap(state: string): Promise<string> {
  try {
    return String(await store.swap((await store.read()).version, state))
  } catch (error) {
    const { name, message, lasting } = error as Error & { lasting?: boolean }
    return JSON.stringify({ name, message, lasting })
  }
}

const actions: Record<string, () => Promise<void>> = {
  /** Counts up until it is killed, and says each number that is stored. */
  async count() {
    for (;;) {
      try {
        const { version, state = '0' } = await store.read()
        const next = String(Number(state) + 1)
        // Long enough for several pages, so that a swap torn in two would show.
        if (await store.swap(version, next.padStart(20_000, '0'))) say(next)
      } catch (error) {
        // Another process's lock.
        if (!(error instanceof StoreError) || error.lasting) throw error
      }
      // Two that never rest could lock each other out for ever.
      await sleep(Math.random() * 4)
    }
  },

  /** Swaps in ever more until the limit that it runs under stops it. */
  async fill() {
    let size = 1000
    let outcome = await trySwap('x'.repeat(size))
    for (; outcome === 'true'; size *= 2) outcome = await trySwap('x'.repeat(size * 2))
    say(outcome)
    say(await trySwap('small again'))
    say(`${(await store.read()).state?.length}`)
  },

  async some() {
    for (let swap = 0; swap < 20; swap++) say(await trySwap(`state ${swap}`))
  },

  async unprivileged() {
    if (process.getuid?.() === 0) {
      process.setgid?.(65534)
      process.setuid?.(65534)
    }
    say(await trySwap('x'))
  },
}

await actions[action]?.()
