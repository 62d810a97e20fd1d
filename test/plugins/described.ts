import { expect } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp } from '../helper.ts'

interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Readonly<
    Record<string, { schema: object; examples?: Record<string, { value: object }> }>
  >
}

export interface Description {
  readonly openapi: string
  readonly servers: readonly { url: string }[]
  readonly paths: Readonly<
    Record<
      string,
      Record<
        string,
        {
          operationId: string
          security: object[]
          parameters?: { name: string; schema: object }[]
          responses: Record<string, Answer>
        }
      >
    >
  >
  readonly components: { securitySchemes?: Record<string, object> }
}

/** The description that a server with `overrides` gives of itself. */
export async function describe31(overrides: Partial<Config> = {}): Promise<Description> {
  const app = await buildApp(overrides, { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
  const { statusCode, headers, body } = await app.inject('/openapi.json')
  expect([statusCode, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
  return JSON.parse(body)
}

/** Settings that bring all that can be described, but for -admin. */
export const everything: Partial<Config> = {
  unique: true,
  rotateEvery: 30,
  apiKeysFile: 'given',
  authMetrics: true,
  saltFrom: 'header:x-user-id',
  rateLimitAddress: 1000,
  rateLimitClient: 1000,
}

/** Its operations by method and path. */
export function operationsOf({ paths }: Description) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  )
}
