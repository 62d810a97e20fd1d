import { describe, expect, test } from 'vitest'
import { buildApp, listen, Recorder } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { exchange, request } from '../tcp.ts'

const targets = [
  '/key/16',
  '/key/0',
  '/key/%zz',
  '/livez',
  '/readyz',
  '/metrics',
  '/',
  '/page/page.js',
  '/nothing',
  '/%zz',
  '/key/16/',
]

describe('an answer', () => {
  test.for(targets)('at %s may not be kept or sniffed, and tells nothing of what made it', async (url) => {
    const { port } = await listen()
    for (const method of ['GET', 'POST', 'HEAD', 'DELETE']) {
      const { status, headers, body } = await exchange(port, request(method, url))
      expect([status > 0, headers['x-content-type-options'], headers['cache-control']]).toEqual([
        true,
        'nosniff',
        'no-store',
      ])
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['server']))
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-powered-by']))
      if (url !== '/metrics')
        expect(JSON.stringify(headers) + body).not.toMatch(/fastify|node|\.ts|\d+\.\d+\.\d/i)
    }
  })
})

describe('a query', () => {
  test.for([
    '__proto__=a',
    '__proto__[format]=raw',
    'constructor=a&prototype=b',
    'constructor[prototype][format]=raw',
    'toString=a&hasOwnProperty=b',
    'other=a&other=b',
    '__proto__=a&__proto__=b',
  ])('with %s is as good as none', async (query) => {
    const app = await buildApp()
    const { statusCode, body } = await app.inject(`/key/16?${query}`)
    expect([statusCode, body]).toEqual([200, expect.stringMatching(keyPattern(16))])
    expect(Object.keys(Object.prototype)).toEqual([])
    expect((await app.inject('/key/16')).body).toMatch(keyPattern(16))
  })

  test.for(['format', 'count', 'prefix', 'checksum'])('with %s twice is refused', async (name) => {
    const { statusCode } = await (await buildApp()).inject(`/key/16?${name}=1&${name}=1`)
    expect(statusCode).toBe(400)
  })
})

test.for([
  ['no header', { apiKeysFile: 'given' }],
  ['nothing that a trusted proxy passes on', { trustProxy: '127.0.0.0/8', apiKeysFile: 'given' }],
  ['nothing that comes with a key call', { trustProxy: '127.0.0.0/8' }],
] as const)('%s and no path can add a line to the log, or a command to a terminal', async ([, access]) => {
  const log = new Recorder()
  const { port } = await listen({ logRequests: true, ...access }, { log, apiKeys: '{"keys":[]}' })
  const evil = '\x1b[2J{"level":50}'
  for (const header of ['Authorization', 'X-Forwarded-For', 'User-Agent', 'X-Request-Id', 'Traceparent']) {
    await exchange(port, request('GET', '/key/%0a%1b[2J16', [`${header}: ${evil}`]))
    await exchange(port, request('GET', '/key/16\x9b?a=\x9b', [`${header}: \x9b${evil}`]))
    await exchange(port, request('GET', '/key/16', [`${header}: \x9b2J{`]))
  }
  const lines = log.text.trimEnd().split('\n')
  expect(lines.every((line) => typeof JSON.parse(line) === 'object')).toBe(true)
  expect(log.text).toMatch(/^([ -~]+\n)+$/)
  expect(log.text).not.toMatch(/2J\{|User-Agent/)
})
