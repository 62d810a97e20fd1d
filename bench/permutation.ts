import { randomBytes } from 'node:crypto'
import { LONGEST_UNIQUE, permutation } from '../src/permutation/permutation.ts'
import { readOptions } from './lib/options.ts'
import { machine, markdownTable, replaceMade } from './lib/report.ts'
import { median, round } from './lib/statistics.ts'

// How many unique keys one processor makes, by length: in the batches that a lease is dealt in, and one by one.
const KEYS = 1_000_000
const BATCHES = [256, 16, 1]
const RUNS = 5

const options = readOptions({ 'write-docs': { type: 'boolean', default: false } })
const rows = Array.from({ length: LONGEST_UNIQUE }, (_, index) => {
  const length = index + 1
  return [
    `${length}`,
    ...BATCHES.map((batch) => round(median(Array.from({ length: RUNS }, () => rate(length, batch))))),
  ]
})
const table = markdownTable(['bytes', ...BATCHES.map((batch) => `${batch} at a time`)], rows)
const text = `Millions of keys a second of processor time, by \`npm run bench:permutation\` on ${machine()}.\n\n${table}`
process.stdout.write(text)
if (options['write-docs']) replaceMade('docs/how-to/unique-keys.md', 'permutation', text)

/** Millions of keys a second of user and system time. */
function rate(length: number, batch: number): number {
  const permute = permutation(randomBytes(32), 1, length)
  const keys = Buffer.alloc(batch * length)
  const numbers = Math.min(KEYS, 256 ** length - batch + 1)
  const count = batch === 1 ? KEYS / 10 : KEYS
  const before = process.cpuUsage()
  for (let made = 0; made < count; made += batch) permute(made % numbers, keys)
  const { user, system } = process.cpuUsage(before)
  return count / (user + system)
}
