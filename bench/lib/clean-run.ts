import { stopServers } from './server.ts'

/**
 * Runs a measurement that leaves nothing running: servers end with it, after Ctrl-C too, when `measure` sees
 * its signal abort and may still keep what it has. A failure is one line and exit status 1.
 */
export async function runCleanly(measure: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => controller.abort(new Error('interrupted')))
  }
  try {
    await measure(controller.signal)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  } finally {
    await stopServers()
  }
  if (controller.signal.aborted) process.exitCode = 130
  process.exit()
}

/** Tells a person how far it is, on standard error, so that standard output stays the result. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}
