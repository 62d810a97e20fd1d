import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { FileStore } from '../src/stores/file.ts'
import { readOptions, wholeNumber } from './lib/options.ts'
import { machine, markdownTable, replaceMade } from './lib/report.ts'
import { median, percentile, round } from './lib/statistics.ts'

// How long the file store holds the event loop: a lease costs one read and one swap, whose fsync is nearly all.
const STATE_BYTES = [1000, 100_000]

const options = readOptions({
  folder: { type: 'string', default: '.' },
  swaps: { type: 'string', default: '500' },
  'write-docs': { type: 'boolean', default: false },
})
const swaps = wholeNumber('swaps', options.swaps, 1_000_000)
const folder = mkdtempSync(join(resolve(options.folder), '.bench-store-'))
const rows: string[][] = []
try {
  for (const size of STATE_BYTES) {
    const store = new FileStore(join(folder, `${size}.db`))
    const times = { read: [] as number[], swap: [] as number[] }
    const timed = async <T>(name: keyof typeof times, action: () => Promise<T>) => {
      const start = performance.now()
      const result = await action()
      times[name].push(performance.now() - start)
      return result
    }
    for (let swap = 0; swap < swaps; swap++) {
      const { version } = await timed('read', () => store.read())
      const state = String(swap).padStart(size, '0')
      if (!(await timed('swap', () => store.swap(version, state)))) throw new Error('a swap lost, to nobody')
    }
    await store.close()
    for (const [name, values] of Object.entries(times)) {
      const figures = [median(values), percentile(values, 0.99), Math.max(...values)]
      rows.push([`${name}, a state of ${size / 1000} kB`, ...figures.map(round)])
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
const table = markdownTable(['file store', 'median ms', 'p99 ms', 'most ms'], rows)
process.stdout.write(`${table}\n${machine()}\n`)
if (options['write-docs']) replaceMade('docs/explanation/performance.md', 'store', `${table}\n${machine()}.`)
