import { existsSync } from 'node:fs'
import { type KeySpace, totals } from '../key-space/key-space.ts'
import { readKeySpace, UnreadableKeySpace } from '../key-space/key-space-text.ts'
import type { Output } from '../log.ts'
import { readLocation } from '../stores/location.ts'
import { openStore } from '../stores/open.ts'
import { StoreError } from '../stores/store.ts'

/**
 * Prints for people what a store holds, none of it secret.
 * @returns the exit status: 0, or 1 with a sentence on `stderr` for a store or a state that can't be read.
 */
export async function showStore(setting: string, stdout: Output, stderr: Output): Promise<number> {
  try {
    stdout.write(await describe(setting))
    return 0
  } catch (error) {
    if (!(error instanceof StoreError || error instanceof UnreadableKeySpace)) throw error
    stderr.write(`key-server: ${error.message}\n`)
    return 1
  }
}

async function describe(setting: string): Promise<string> {
  const location = readLocation(setting)
  // To look must not make one.
  if (typeof location === 'object' && location.kind === 'file' && !existsSync(location.path)) {
    throw new StoreError('there is no store: the file that -store names does not exist')
  }
  const store = await openStore(setting)
  try {
    const { state, now } = await store.read()
    if (state === undefined) return 'The store is empty: no unique key was ever dealt from it\n'
    const space = readKeySpace(state)
    return `${headOf(space, now)}\n${tableOf(space)}`
  } finally {
    await store.close()
  }
}

function headOf({ storeId, revision, period, fenced }: KeySpace, now: number): string {
  const lines = [
    ['store', storeId],
    ['revision', String(revision)],
    ['period', `${period.number}, since ${timeOf(period.startedAt)}${endOf(period)}`],
    ['now', `${timeOf(now)}, by the store's clock`],
    ...(fenced === undefined ? [] : [['fenced', `${fenced}: no short key is dealt before a rotation`]]),
  ]
  return lines.map(([name = '', value]) => `${name.padEnd(10)}${printable(String(value))}\n`).join('')
}

function endOf({ ends }: KeySpace['period']): string {
  return ends === undefined ? '' : `, until ${timeOf(ends.at)}, every ${ends.everyDays} days`
}

function tableOf(space: KeySpace): string {
  const lengths = Object.keys(space.lengths).map(Number)
  const rows = lengths
    .toSorted((one, other) => one - other)
    .map((length) => {
      const { used, left, lost, leased, whole } = totals(space, length)
      const share = `${((used / whole) * 100).toFixed(1)} %`
      return [
        String(length),
        ...[used, left, lost, leased].map((keys) => keys.toLocaleString('en-GB')),
        share,
      ]
    })
  const table = [['bytes', 'used', 'left', 'lost', 'leased', 'used up'], ...rows]
  const widths =
    table[0]?.map((_cell, column) => Math.max(...table.map((row) => `${row[column]}`.length))) ?? []
  const lines = table.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
  return `${lines.join('\n')}\nLengths of up to 15 bytes that are not listed are untouched.\n`
}

function timeOf(ms: number): string {
  // The latest time that a Date can hold, for a state that says anything.
  return `${new Date(Math.min(ms, 8.64e15)).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** What a tampered state holds must not reach a terminal as commands. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
