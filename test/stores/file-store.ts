import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { FileStore } from '../../src/stores/file.ts'
import type { Store } from '../../src/stores/store.ts'

const CHILD = join(import.meta.dirname, 'file-child.ts')

export function open(path: string): FileStore {
  const store = new FileStore(path)
  onTestFinished(() => store.close())
  return store
}

export async function write(store: Store, state: string): Promise<boolean> {
  return store.swap((await store.read()).version, state)
}

/** A process of its own; `limit` is for the shell that it is started from. */
export function start(
  action: string,
  path: string,
  limit = '',
): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', process.execPath, CHILD, action, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

export async function outputOf(action: string, path: string, limit?: string): Promise<string[]> {
  return (await text(start(action, path, limit).stdout)).trimEnd().split('\n')
}
