import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished, vi } from 'vitest'
import { PATIENCE, Recorder } from '../helper.ts'

/** A server process of its own, as it is built; `npm run build` comes before. */
export interface ChildServer {
  readonly pid: number
  readonly port: number
  readonly log: Recorder
}

/** The heap that node.env gives to a server of 128 MiB. */
export const POD_HEAP = ['--max-old-space-size=51', '--max-semi-space-size=8']

/** Starts one with `flags` on a free port of the loopback, and ends it with the test. */
export async function startServer(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
  nodeFlags: readonly string[] = [],
): Promise<ChildServer> {
  const fixed = ['-host', '127.0.0.1', '-srv-port', '0', '-drain-time', '0']
  const child = spawn(process.execPath, [...nodeFlags, 'dist/server.cjs', ...fixed, ...flags], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  })
  const log = new Recorder()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => log.write(text))
  }
  const port = await vi.waitFor(() => {
    const found = /"Starting server on port (\d+)\.\.\."/.exec(log.text)?.[1]
    if (found === undefined) throw new Error(`not listening: ${log.text}`)
    return Number(found)
  }, PATIENCE)
  return { pid: child.pid ?? 0, port, log }
}
