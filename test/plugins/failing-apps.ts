import type { FastifyInstance } from 'fastify'
import { buildApp, Recorder } from '../helper.ts'

export const JSON_CLIENT = { accept: 'application/json' }
export const LONG = '1'.repeat(5000)
export const MARKER = 'marker-of-a-failure-4711'

/** An app with a defect that each key call meets, and what mends it. */
export async function brokenApp(log = new Recorder()): Promise<{ app: FastifyInstance; mend: () => void }> {
  const app = await buildApp({}, { log })
  const { counters } = app
  const handedOut = counters.handedOut.bind(counters)
  counters.handedOut = () => {
    throw new Error(MARKER)
  }
  const mend = () => {
    counters.handedOut = handedOut
  }
  return { app, mend }
}

export const unhealthyApp = () => buildApp({}, { randomSource: (bytes) => bytes.fill(0) })
