import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { describeApi } from '../../src/api/description.ts'
import { operations } from '../../src/api/operations.ts'
import { guide } from '../../src/problem-guide.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp, newFolder, settings } from '../helper.ts'

interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, object>>
  readonly content?: Readonly<
    Record<string, { schema: object; examples?: Record<string, { value: object }> }>
  >
}

interface Description {
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

/** API keys of one client that may all, and its secret. */
const SECRET = `ks_${'0'.repeat(64)}`

async function describe31(overrides: Partial<Config> = {}): Promise<Description> {
  const app = await buildApp(overrides, { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
  const { statusCode, headers, body } = await app.inject('/openapi.json')
  expect([statusCode, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
  return JSON.parse(body)
}

const everything: Partial<Config> = {
  unique: true,
  rotateEvery: 30,
  apiKeysFile: 'given',
  authMetrics: true,
  saltFrom: 'header:x-user-id',
  rateLimitAddress: 1000,
  rateLimitClient: 1000,
}

/** Its operations by method and path. */
function operationsOf({ paths }: Description) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
    ),
  )
}

describe('the description', () => {
  test('is of all routes but those for people, and of no others', async () => {
    const app = await buildApp(everything, { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
    const paths = [...app.printRoutes({ commonPrefix: false }).matchAll(/^ {4}[├└]── (\S+) \(/gm)]
      .map(([, path]) => `/${path}`)
      .filter((path) => !/^\/(page\/|docs|problems\/)/.test(path))
    const described = Object.keys(operations)
    expect([...new Set(described.map((name) => name.replace(/^\S+ /, '')))].sort()).toEqual(paths.sort())
    const names = operationsOf(JSON.parse((await app.inject('/openapi.json')).body)).map(([name]) => name)
    expect(names.sort()).toEqual(described.map((name) => name.replace(':length', '{length}')).sort())
  })

  test('is OpenAPI 3.1, found from where it is, with a name for each operation', async () => {
    const description = await describe31(everything)
    expect(description.openapi).toBe('3.1.0')
    expect(description.servers).toEqual([{ url: '.', description: 'where this description is' }])
    const ids = operationsOf(description).map(([, { operationId }]) => operationId)
    expect(ids).toEqual([...new Set(ids)])
    expect(ids).toEqual(expect.arrayContaining(['getKeys', 'getKeys-head', 'makeKeys', 'rotate']))
  })

  test('has the bounds of the settings', async () => {
    const { paths } = await describe31({ minSize: 20, maxSize: 64, maxCount: 7 })
    const parameters = paths['/key/{length}']?.get?.parameters
    expect(parameters?.find(({ name }) => name === 'length')?.schema).toEqual({
      type: 'integer',
      minimum: 20,
      maximum: 64,
    })
    expect(parameters?.find(({ name }) => name === 'count')?.schema).toMatchObject({ minimum: 1, maximum: 7 })
    expect(parameters?.find(({ name }) => name === 'format')?.schema).toMatchObject({ default: 'hex' })
  })

  test('has each problem type somewhere, with all that can be on, but for paths and methods that there are none of', async () => {
    const both = await Promise.all([
      describe31(everything),
      describe31({ unique: true, admin: true, adminTokenFile: await tokenFile() }),
    ])
    const text = JSON.stringify(both)
    const missing = guide.filter(({ type }) => !text.includes(`"${type}"`)).map(({ name }) => name)
    expect(missing).toEqual(['NotFound', 'MethodNotAllowed'])
  })

  test('says who may call, by what is on', async () => {
    expect((await describe31()).components.securitySchemes).toBeUndefined()
    const guarded = await describe31(everything)
    expect(Object.keys(guarded.components.securitySchemes ?? {})).toEqual(['apiKey'])
    const asks = (description: Description) =>
      operationsOf(description).flatMap(([name, { security }]) => (security.length > 0 ? [name] : []))
    expect(asks(guarded).sort()).toEqual([
      'GET /key/{length}',
      'GET /metrics',
      'HEAD /key/{length}',
      'POST /key/{length}',
      'POST /rotation',
    ])
    expect(asks(await describe31({ apiKeysFile: 'given' }))).not.toContain('GET /metrics')
  })

  test('says nothing of what is off', async () => {
    const text = JSON.stringify(await describe31())
    for (const word of [
      'rotation',
      'Key-Period',
      'unauthorized',
      'too-many-requests',
      'keyspace',
      'repeated-header',
    ]) {
      expect(text).not.toContain(word)
    }
  })

  test('has Retry-After with 409, 429 and 503, and WWW-Authenticate with 401 and 403', async () => {
    for (const [, { responses }] of operationsOf(await describe31(everything))) {
      for (const [status, { headers = {} }] of Object.entries(responses)) {
        expect('Retry-After' in headers).toBe(['409', '429', '503'].includes(status))
        expect('WWW-Authenticate' in headers).toBe(['401', '403'].includes(status))
      }
    }
  })

  test('has no content for HEAD', async () => {
    const { paths } = await describe31()
    for (const answer of Object.values(paths['/key/{length}']?.head?.responses ?? {})) {
      expect(answer).not.toHaveProperty('content')
    }
  })

  test('is the same each time, and its HEAD has no body', async () => {
    const app = await buildApp()
    const { body } = await app.inject('/openapi.json')
    expect((await app.inject('/openapi.json')).body).toBe(body)
    const head = await app.inject({ method: 'HEAD', url: '/openapi.json' })
    expect([head.statusCode, head.body]).toEqual([200, ''])
  })

  test('is an unknown path with -pages=false', async () => {
    const app = await buildApp({ pages: false })
    expect((await app.inject('/openapi.json')).statusCode).toBe(404)
  })

  test('of no route has no path', async () => {
    expect(JSON.parse(await describeApi([], settings())).paths).toEqual({})
  })
})

async function tokenFile(): Promise<string> {
  const file = join(await newFolder(), 'token')
  await writeFile(file, 'x'.repeat(32))
  return file
}

describe('an answer is as described', () => {
  const calls: [call: string, accept: string, overrides?: Partial<Config>][] = [
    ['GET /key/16', 'text/plain'],
    ['GET /key/16', 'application/json'],
    ['GET /key/16?count=3', 'application/json'],
    ['GET /key/16?format=raw', '*/*'],
    ['POST /key/16?format=base58&prefix=a_&checksum=crc32', 'application/json'],
    ['HEAD /key/16', '*/*'],
    ['GET /key/2', 'application/json', { unique: true, rotateEvery: 30 }],
    ['GET /key/0', 'application/json'],
    ['GET /key/0', 'text/plain'],
    ['GET /key/16?format=x', 'application/json'],
    ['GET /key/16?count=0', 'application/json'],
    ['GET /key/1024?count=1000&format=raw', 'application/json'],
    ['GET /key/16?prefix=-', 'application/json'],
    ['GET /key/16?checksum=x', 'application/json'],
    ['GET /key/16?count=1&count=2', 'application/json'],
    ['GET /key/65?format=base58', 'application/json'],
    ['GET /key/16', 'application/json', { apiKeysFile: 'given' }],
    ['GET /key/1?count=257', 'application/json', { unique: true }],
    ['GET /rotation', 'application/json', { unique: true, rotateEvery: 30 }],
    ['GET /rotation', 'application/json', { unique: true }],
    ['GET /rotation?since=9', 'application/json', { unique: true }],
    ['POST /rotation', 'application/json', { unique: true, apiKeysFile: 'given' }],
    ['GET /livez', '*/*'],
    ['GET /healthz', '*/*'],
    ['GET /readyz', '*/*'],
    ['GET /metrics', '*/*'],
    ['GET /metrics', '*/*', { apiKeysFile: 'given', authMetrics: true }],
    ['GET /openapi.json', '*/*'],
  ]

  test.for(calls)('%s for %s with %j', async ([call, accept, overrides = {}]) => {
    const parts = { store: new MemoryStore(), apiKeys: '{"keys":[]}' }
    const app = await buildApp({ maxBatchBytes: 4096, ...overrides }, parts)
    const [method = '', url = ''] = call.split(' ')
    const description: Description = JSON.parse((await app.inject('/openapi.json')).body)
    const answer = await app.inject({
      method: method as 'GET',
      url,
      headers: { accept, authorization: SECRET },
    })
    const path = url.replace(/\?.*/, '').replace(/^\/key\/.*/, '/key/{length}')
    const described = description.paths[path]?.[method.toLowerCase()]?.responses[answer.statusCode]
    expect(described).toBeDefined()
    for (const name of Object.keys(answer.headers)) {
      const told = ['key-period', 'key-expires', 'retry-after', 'www-authenticate', 'cache-control'].includes(
        name,
      )
      const names = Object.keys(described?.headers ?? {}).map((each) => each.toLowerCase())
      if (told) expect(names).toContain(name)
    }
    if (method === 'HEAD') return
    const type = String(answer.headers['content-type']).split(';')[0] ?? ''
    const content = described?.content?.[type]
    expect(content).toBeDefined()
    const value = type.endsWith('json') ? answer.json() : answer.body
    const ajv = addFormats.default(new Ajv.default({ strict: false }))
    ajv.addSchema({ $id: 'api', ...description })
    const validate = ajv.compile(JSON.parse(JSON.stringify(content?.schema).replaceAll('"#/', '"api#/')))
    expect([validate(value), validate.errors]).toEqual([true, null])
  })

  test('each example of a problem is one', async () => {
    const description = await describe31(everything)
    const ajv = addFormats.default(new Ajv.default({ strict: false }))
    ajv.addSchema({ $id: 'api', ...description })
    let seen = 0
    for (const [, { responses }] of operationsOf(description)) {
      for (const { content } of Object.values(responses)) {
        const { schema, examples = {} } = content?.['application/problem+json'] ?? { schema: {} }
        const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')))
        for (const { value } of Object.values(examples)) {
          expect([validate(value), validate.errors]).toEqual([true, null])
          seen++
        }
      }
    }
    expect(seen).toBeGreaterThan(50)
  })
})
