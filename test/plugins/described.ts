import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp } from '../helper.ts'

interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Readonly<Record<string, Exemplified>>
}

/** A parameter or the content of an answer. */
export interface Exemplified {
  readonly schema: { examples?: unknown[] }
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { value: unknown }>>
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
          parameters?: (Exemplified & { name: string; in: string })[]
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

/** Tells whether a value is as a schema of that description says, and what is wrong with it. */
export function judge(description: Description) {
  const ajv = addFormats.default(new Ajv.default({ strict: false }))
  ajv.addSchema({ $id: 'api', ...description })
  return (schema: object | boolean, value: unknown) => {
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')))
    return [validate(value), validate.errors]
  }
}

/** The examples of a parameter or of the content of an answer, wherever OpenAPI lets them stand. */
export function examplesOf({ schema, example, examples = {} }: Exemplified): unknown[] {
  const own = example === undefined ? [] : [example]
  return [...own, ...Object.values(examples).map(({ value }) => value), ...(schema.examples ?? [])]
}
