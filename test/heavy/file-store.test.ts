import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newFolder } from '../helper.ts'
import { needs } from '../program.ts'

test('each swap is on the disk before it is said to be done', async (context) => {
  const folder = await newFolder()
  const [path, trace] = [join(folder, 'keys.db'), join(folder, 'trace')]
  const child = [process.execPath, join(import.meta.dirname, '../stores/file-child.ts'), 'some', path]
  const calls = ['-y', '-e', 'trace=fsync,fdatasync,write', '-o', trace]
  execFileSync(needs('strace', context), [...calls, ...child])
  // The order of what the one thread does: the log is synced, then the child says so.
  const events = (await readFile(trace, 'utf8'))
    .split('\n')
    .map((line) => (/sync\(\d+<[^>]*-wal>/.test(line) ? 's' : /^write\(1\b.*"true\\n"/.test(line) ? 'w' : ''))
    .join('')
  expect(events).toMatch(/^(s+w){20}s*$/)
})
