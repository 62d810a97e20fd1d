import type { FastifyInstance, InjectOptions } from 'fastify'
import type { RandomSource } from '../../src/keys/entropy.ts'

export const JSON_CLIENT = { accept: 'application/json' }
export const FORMATS = ['hex', 'base64', 'base64url', 'base32', 'base58', 'raw']

/** What `knownSource` draws: it starts with a zero byte and passes the health tests. */
export const drawn = (start: number, length: number) =>
  Uint8Array.from({ length }, (_, index) => ((start + index) * 167) % 256)

export const knownSource: RandomSource = (bytes) => bytes.set(drawn(0, bytes.length))

export async function problemOf(app: FastifyInstance, call: InjectOptions | string): Promise<unknown> {
  const options = typeof call === 'string' ? { url: call } : call
  const answer = await app.inject({ ...options, headers: { ...options.headers, ...JSON_CLIENT } })
  return { status: answer.statusCode, type: answer.json().type }
}

export const refused = (type: string) => ({ status: 400, type: `/problems/${type}` })
