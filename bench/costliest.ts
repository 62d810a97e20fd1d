import { randomFillSync } from 'node:crypto'
import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import { encodings } from '../src/keys/encodings.ts'
import { Entropy } from '../src/keys/entropy.ts'
import { readSettings } from '../src/settings/settings.ts'
import { readOptions } from './lib/options.ts'
import { markdownTable, replaceMade } from './lib/report.ts'
import { median, percentile, round } from './lib/statistics.ts'

// How long the costliest calls that are allowed hold the event loop: nothing else is served meanwhile.
const calls = [
  { path: '/key/64?format=base58&count=256' },
  { path: '/key/1024?count=1000' },
  { path: '/key/1024?count=1000&format=base32&checksum=crc32' },
  { path: '/key/1024?count=1000&format=base32&checksum=crc32', accept: 'application/json' },
  { path: '/key/1048576', flags: ['-max-size', '1048576'] },
  { path: '/key/1048576?format=base32&checksum=crc32', flags: ['-max-size', '1048576'] },
]
const RUNS = 15
const LARGEST = 1_048_576
const LARGEST_RUNS = 200

const options = readOptions({ 'write-docs': { type: 'boolean', default: false } })
const rows: string[][] = []
for (const { path, accept = '*/*', flags = [] } of calls) {
  const config = readSettings({ args: flags, env: {}, folder: '/nonexistent' })
  const app = await createApp(config, { log: pino({ level: 'silent' }) })
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    const { statusCode } = await app.inject({ url: path, headers: { accept } })
    times.push(performance.now() - start)
    if (statusCode !== 200) throw new Error(`${path} answers ${statusCode}`)
  }
  await app.close()
  rows.push([
    `\`${path}\`${accept === '*/*' ? '' : ' as JSON'}`,
    round(median(times)),
    round(Math.max(...times)),
  ])
}
const table = `${markdownTable(['call', 'median ms', 'most ms'], rows)}\n${largestKey()}\n`
process.stdout.write(table)
if (options['write-docs']) replaceMade('docs/explanation/performance.md', 'costliest', table)

/** What the largest key costs beyond its random bytes and its digits, the two in turn. */
function largestKey(): string {
  const entropy = new Entropy()
  const ratios: number[] = []
  for (let run = 0; run < LARGEST_RUNS; run++) {
    const made = cpuOf(() => entropy.take(LARGEST, encodings.hex.encode))
    const alone = cpuOf(() => randomFillSync(Buffer.allocUnsafeSlow(LARGEST)).toString('hex'))
    ratios.push(made / alone)
  }
  return `Making ${LARGEST.toLocaleString('en-GB')} bytes, wiping them included, costs **${round(median(ratios))}** (${round(percentile(ratios, 0.05))} to ${round(percentile(ratios, 0.95))}) times the CPU of \`randomFillSync\` and hex encoding alone.`
}

function cpuOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}
