import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeApi } from '../../src/api/description.ts'
import { operations } from '../../src/api/operations.ts'
import { DEFAULT_FORMAT } from '../../src/keys/encodings.ts'
import { guide } from '../../src/problems/guide.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp, newFolder, settings } from '../helper.ts'
import { type Description, describe31, everything, operationsOf } from './described.ts'

describe('the description', () => {
  test('is of all routes but those for people, and of no others', async () => {
    const app = await buildApp(everything, { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
    const paths = [...app.printRoutes({ commonPrefix: false }).matchAll(/^ {4}[├└]── (\S+) \(/gm)]
      .map(([, path]) => `/${path}`)
      .filter((path) => !/^\/(page\/|docs)/.test(path))
    const described = Object.keys(operations)
    expect([...new Set(described.map((name) => name.replace(/^\S+ /, '')))].sort()).toEqual(paths.sort())
    const names = operationsOf(JSON.parse((await app.inject('/openapi.json')).body)).map(([name]) => name)
    expect(names.sort()).toEqual(described.map((name) => name.replace(/:(\w+)/, '{$1}')).sort())
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
    expect(parameters?.find(({ name }) => name === 'format')?.schema).toMatchObject({
      default: DEFAULT_FORMAT,
    })
  })

  test('has each problem type in an answer of its status, with an example, where all is on that can be', async () => {
    const both = await Promise.all([
      describe31(everything),
      describe31({ unique: true, admin: true, adminTokenFile: await tokenFile() }),
    ])
    const answers = both.flatMap(operationsOf).flatMap(([, { responses }]) => Object.entries(responses))
    const described = answers.flatMap(([status, { content }]) =>
      Object.entries(content?.['application/problem+json']?.examples ?? {}).map(
        ([name, { value }]) => `${status} ${name} ${(value as { type?: string }).type}`,
      ),
    )
    const missing = guide
      .map(({ status, name, type }) => `${status} ${name} ${type}`)
      .filter((problem) => !described.includes(problem))
    expect(missing).toEqual([])
  })

  test('has with each path what other methods get there', async () => {
    const parts = { store: new MemoryStore(), apiKeys: '{"keys":[]}' }
    const app = await buildApp(everything, parts)
    const description: Description = JSON.parse((await app.inject('/openapi.json')).body)
    for (const [path, operations] of Object.entries(description.paths)) {
      const { statusCode, headers } = await app.inject({ method: 'DELETE', url: path.replace(/\{.*/, '16') })
      expect(statusCode).toBe(405)
      const told = operations.get?.responses[405]?.headers?.Allow
      expect(told).toMatchObject({ schema: { const: headers.allow } })
      const others = Object.entries(operations).filter(([method]) => method !== 'get')
      for (const [, { responses }] of others) expect(responses).not.toHaveProperty('405')
    }
  })

  test('says who may call, by what is on', async () => {
    expect((await describe31()).components.securitySchemes).toBeUndefined()
    const guarded = await describe31(everything)
    expect(Object.keys(guarded.components.securitySchemes ?? {})).toEqual(['apiKey'])
    const asks = (description: Description) =>
      operationsOf(description).flatMap(([name, { security }]) =>
        security.map((scheme) => `${name} ${JSON.stringify(scheme)}`),
      )
    expect(asks(guarded).sort()).toEqual([
      'GET /key/{length} {"apiKey":["key"]}',
      'GET /metrics {"apiKey":["metrics"]}',
      'HEAD /key/{length} {"apiKey":["key"]}',
      'POST /key/{length} {"apiKey":["key"]}',
      'POST /rotation {"apiKey":["admin"]}',
    ])
    expect(asks(await describe31({ apiKeysFile: 'given' })).join()).not.toContain('GET /metrics')
  })

  const keyCalls = ['GET /key/{length}', 'HEAD /key/{length}', 'POST /key/{length}']
  const open = ['GET /openapi.json', 'GET /problems/{name}', 'GET /rotation']
  const withKeys = { apiKeysFile: 'given', authMetrics: true }
  test.for<[Partial<Config>, string[]]>([
    [{}, []],
    [withKeys, []],
    [{ rateLimitAddress: 9 }, [...open, ...keyCalls]],
    [{ rateLimitAddress: 9, admin: true }, [...open, ...keyCalls, 'POST /rotation']],
    [{ rateLimitAddress: 9, ...withKeys }, [...open, 'GET /metrics', ...keyCalls, 'POST /rotation']],
    [{ rateLimitClient: 9, ...withKeys }, ['GET /metrics', ...keyCalls, 'POST /rotation']],
    [{ rateLimitClient: 9, apiKeysFile: 'given' }, [...keyCalls, 'POST /rotation']],
  ])('with %j has 429 at %j', async ([overrides, limited]) => {
    const unique = { unique: true, adminTokenFile: await tokenFile() }
    const operations = operationsOf(await describe31({ ...unique, ...overrides }))
    const with429 = operations.filter(([, { responses }]) => '429' in responses).map(([name]) => name)
    expect(with429.sort()).toEqual(limited.toSorted())
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
