import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE_MS = 30_000

/** Where Prometheus and Alertmanager say that they listen. */
export const LISTENING = /msg="Listening on" address=\S+:(\d+)/

/** A program that listens on a port of the loopback. */
export interface Listening {
  readonly origin: string
  stop(): Promise<void>
}

/**
 * Starts a program and waits for it to print at which port it listens, which `port` matches.
 * @throws with what it printed, when it ends instead.
 */
export async function startListening(
  program: string,
  args: readonly string[],
  port: RegExp,
): Promise<Listening> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  await once(child, 'spawn')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  const running = () => child.exitCode === null && child.signalCode === null
  const stop = async () => {
    if (!running()) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  for (
    const start = performance.now();
    running() && performance.now() - start < DEADLINE_MS;
    await sleep(20)
  ) {
    const found = port.exec(output)?.[1]
    if (found !== undefined) return { origin: `http://127.0.0.1:${found}`, stop }
  }
  await stop()
  throw new Error(`${program} does not listen: ${output}`)
}
