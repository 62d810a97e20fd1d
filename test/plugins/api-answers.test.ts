import { describe, expect, test } from 'vitest'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp } from '../helper.ts'
import { type Description, judge } from './described.ts'

/** An API key that no server knows. */
const SECRET = `ks_${'0'.repeat(64)}`

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
    ['GET /key/16/', 'application/json'],
    ['POST /key/16/', 'text/plain'],
    ['HEAD /key/16/', '*/*'],
    ['GET /problems/not-found', 'text/html'],
    ['GET /problems/nothing', 'application/json'],
    ['GET /problems/', 'text/html'],
    ['GET /problems/%zz', 'application/json'],
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
    const path = url
      .replace(/\?.*/, '')
      .replace(/^\/key\/.*/, '/key/{length}')
      .replace(/^\/problems\/.*/, '/problems/{name}')
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
    expect(judge(description)(content?.schema ?? false, value)).toEqual([true, null])
  })
})
