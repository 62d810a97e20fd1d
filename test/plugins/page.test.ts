import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { formats } from '../../src/keys/encodings.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp, listen, scrape } from '../helper.ts'
import { exchange, request } from '../tcp.ts'

const files = readdirSync(new URL('../../src/page', import.meta.url)).filter(
  (name) => !name.endsWith('.html'),
)

/** What the scripts of a page know of the server's settings. */
function settingsIn(html: string): Record<string, unknown> {
  const [, text = ''] = /data-settings="([^"]*)"/.exec(html) ?? []
  return JSON.parse(text.replaceAll('&#34;', '"'))
}

async function pageOf(overrides: Partial<Config> = {}): Promise<string> {
  const app = await buildApp(overrides, { store: new MemoryStore(), apiKeys: '{"keys":[]}' })
  return (await app.inject('/')).body
}

describe('the page', () => {
  test('may use its own files and this server alone, in no frame and with no form that sends', async () => {
    const { statusCode, headers } = await (await buildApp()).inject('/')
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = String(headers['content-security-policy']).split('; ')
    expect(policy).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ])
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    })
  })

  test('has nothing inline, and no address but relative ones', async () => {
    const html = await pageOf()
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|<base/)
    const addresses = [...html.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address = '']) => address)
    expect(addresses.length).toBeGreaterThan(5)
    expect(addresses.filter((address) => /^(\/|\w+:(?!image\/svg))/.test(address))).toEqual([])
    expect(html).not.toContain('{{')
    expect(html).not.toContain('undefined')
  })

  test.for(files)('brings its %s', async (name) => {
    const { statusCode, headers, body } = await (await buildApp()).inject(`/page/${name}`)
    const type = name.endsWith('.css') ? 'text/css' : 'text/javascript'
    expect([statusCode, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`])
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(body.length).toBeGreaterThan(100)
  })

  test('has no key', async () => {
    expect(await pageOf()).not.toMatch(/[0-9a-f]{32}/)
    const app = await buildApp()
    await app.inject('/')
    expect((await scrape(app)).get('keys_generated_total')).toBe(0)
  })

  test('is the same each time, by HEAD without a body', async () => {
    const app = await buildApp()
    const { body, headers } = await app.inject('/')
    expect((await app.inject('/')).body).toBe(body)
    const head = await app.inject({ method: 'HEAD', url: '/' })
    expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([
      200,
      '',
      headers['content-length'],
    ])
  })

  test.for(['POST', 'PUT', 'DELETE'])('does not take %s', async (method) => {
    const { port } = await listen()
    const { status, headers, body } = await exchange(port, request(method, '/'))
    expect([status, headers.allow, body]).toEqual([405, 'GET, HEAD', 'Method not allowed: use GET, HEAD\n'])
  })

  test.for([
    '/page',
    '/page/',
    '/page/index.html',
    '/page/..%2findex.html',
    '/page/nothing.js',
    '//',
    '/index.html',
  ])('is not at %s', async (url) => {
    expect((await (await buildApp()).inject(url)).statusCode).toBe(404)
  })

  test('is counted with the others', async () => {
    const app = await buildApp()
    for (const url of ['/', '/page/page.css', '/page/page.js']) await app.inject(url)
    const samples = await scrape(app)
    expect(samples.get('http_status_codes{code="200",handler="other"}')).toBe(3)
    expect(samples.get('http_status_codes{code="200",handler="key"}')).toBe(0)
  })

  test.for(['/', '/page/page.js', '/docs', '/docs/swagger-ui.css', '/openapi.json', '/problems/not-found'])(
    'asks for no API key, and counts against the limit of an address: %s',
    async (url) => {
      const app = await buildApp({ apiKeysFile: 'given', rateLimitAddress: 2 }, { apiKeys: '{"keys":[]}' })
      const statuses = []
      for (let call = 0; call < 3; call++) statuses.push((await app.inject(url)).statusCode)
      expect(statuses).toEqual([200, 200, 429])
    },
  )

  test('is an unknown path with -pages=false, as its files are', async () => {
    const app = await buildApp({ pages: false })
    for (const url of ['/', ...files.map((name) => `/page/${name}`)]) {
      const { statusCode, body } = await app.inject(url)
      expect([statusCode, body]).toEqual([404, 'Not found: keys are at /key/{length}\n'])
    }
    expect((await app.inject('/key/16')).statusCode).toBe(200)
  })
})

describe('what the page says of the server', () => {
  test('are its limits', async () => {
    const limits = { minSize: 20, maxSize: 2048, maxCount: 50, maxBatchBytes: 4096 }
    const html = await pageOf(limits)
    expect(settingsIn(html)).toEqual({
      minSize: 20,
      maxSize: 2048,
      formats,
      checksums: ['crc32'],
      recommended: 16,
      unique: false,
      auth: false,
      mostBits: null,
    })
    expect(html).toContain('<dd>20 to 2,048 bytes</dd>')
    expect(html).toContain('<dd>up to 50, of 4,096 bytes together</dd>')
    expect(html).toContain('<a href="key/20">')
  })

  test.for([
    [{ maxSize: 8 }, 'key/8'],
    [{}, 'key/16'],
    [{ minSize: 32 }, 'key/32'],
  ] as const)('with %j begins at %s', async ([overrides, first]) => {
    expect(await pageOf(overrides)).toContain(`<a href="${first}">`)
  })

  test.for<[Partial<Config>, Record<string, unknown>]>([
    [{ apiKeysFile: 'given' }, { auth: true }],
    [{ unique: true }, { unique: true }],
    [{ saltFrom: 'ip' }, { mostBits: 512 }],
  ])('with %j tells its scripts so', async ([overrides, known]) => {
    expect(settingsIn(await pageOf(overrides))).toMatchObject(known)
  })

  const parts = {
    'a field for the API key': /<fieldset class="">\s*<legend>Access/,
    'the period': /<section class="card " aria-labelledby="rotation-title"/,
    metrics: /<li class=""><a href="metrics"/,
  }

  test.for<[Partial<Config>, (keyof typeof parts)[]]>([
    [{}, ['metrics']],
    [{ apiKeysFile: 'given' }, ['a field for the API key', 'metrics']],
    [{ apiKeysFile: 'given', authMetrics: true }, ['a field for the API key']],
    [{ unique: true }, ['the period', 'metrics']],
  ])('with %j shows %s', async ([overrides, shown]) => {
    const html = await pageOf(overrides)
    const found = Object.entries(parts).filter(([, pattern]) => pattern.test(html))
    expect(found.map(([name]) => name)).toEqual(shown)
  })
})
