import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { hasProgram, pinned } from './programs.ts'

/** What is sent, and for how long. */
export interface LoadPlan {
  readonly url: string
  readonly seconds: number
  readonly connections: number
  readonly headers?: Readonly<Record<string, string>>
  /** Requests a second in all; without it, as many as there can be. */
  readonly rate?: number
}

/** What came of it; times in milliseconds. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Answers other than 2xx, and requests without an answer. */
  readonly errors: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** The program that makes load without a given rate: wrk costs the machine less, autocannon is always there. */
export const generator = hasProgram('wrk') ? 'wrk' : 'autocannon'

/** Sends load from a process of its own, on other processors than the server's. */
export async function sendLoad(plan: LoadPlan, signal?: AbortSignal): Promise<LoadResult> {
  const command = generator === 'wrk' && plan.rate === undefined ? wrk(plan) : autocannon(plan)
  const [program = '', ...args] = pinned(loadCores(), command)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  await once(child, 'close').catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error
  })
  const line = stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`${command[0]} failed: ${stderr.trim() || stdout.trim()}`)
  return JSON.parse(line)
}

function loadCores(): string {
  const cores = availableParallelism()
  return cores > 1 ? `1-${cores - 1}` : '0'
}

function wrk({ url, seconds, connections, headers = {} }: LoadPlan): string[] {
  const script = fileURLToPath(new URL('percentiles.lua', import.meta.url))
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  return ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, ...given, url]
}

function autocannon(plan: LoadPlan): string[] {
  const script = fileURLToPath(new URL('autocannon.ts', import.meta.url))
  return [process.execPath, script, JSON.stringify(plan)]
}
