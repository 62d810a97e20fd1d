import { Writable } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import { pino } from 'pino'

/** Where text goes: a stream of the process, or what a test hands in. */
export interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** A logger of readable lines on a terminal and of JSON, an object a line, elsewhere. */
export async function createLog(output: Output): Promise<FastifyBaseLogger> {
  if (!output.isTTY) return pino<never>({}, output)
  // Loaded only where a person reads: a pod would pay for it with memory and start-up time.
  const { default: pretty } = await import('pino-pretty')
  const destination = new Writable({
    write(line, _encoding, done) {
      output.write(String(line))
      done()
    },
  })
  return pino<never>(
    pretty({
      destination,
      ignore: 'pid,hostname',
      singleLine: true,
      translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
    }),
  )
}
