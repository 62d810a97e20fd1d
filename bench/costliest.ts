import { pino } from 'pino'
import { createApp } from '../src/app.ts'
import { readSettings } from '../src/settings.ts'
import { readOptions } from './lib/options.ts'
import { markdownTable, replaceMade } from './lib/report.ts'
import { median, round } from './lib/statistics.ts'

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
const table = markdownTable(['call', 'median ms', 'most ms'], rows)
process.stdout.write(table)
if (options['write-docs']) replaceMade('docs/performance.md', 'costliest', table)
