import { describe, expect, test } from 'vitest'
import { buildApp, scrape } from '../helper.ts'

const VIEWER = ['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js']

describe('the documentation', () => {
  test('loads its own files and may load no others', async () => {
    const app = await buildApp()
    const { statusCode, headers, body } = await app.inject('/docs')
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    const policy = String(headers['content-security-policy']).split('; ')
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "style-src 'self'"]),
    )
    expect(headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' })
    expect(body).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|<base/)
    const files = [...body.matchAll(/(?:src|href)="(?!data:)([^"]*)"/g)].map(([, file = '']) => file)
    expect(files).toEqual([
      'docs/swagger-ui.css',
      'page/docs.css',
      'docs/swagger-ui-bundle.js',
      'page/docs.js',
      'openapi.json',
    ])
    for (const file of files) expect((await app.inject(`/${file}`)).statusCode).toBe(200)
  })

  test.for(VIEWER)('has %s, which a browser may keep for an hour', async (url) => {
    const { statusCode, headers, body } = await (await buildApp()).inject(url)
    expect([statusCode, headers['cache-control']]).toEqual([200, 'public, max-age=3600'])
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(body.length).toBeGreaterThan(100_000)
  })

  test.for([
    '/docs/',
    '/docs/package.json',
    '/docs/../package.json',
    '/docs/..%2fpackage.json',
    '/docs/swagger-ui.css.map',
    '/docs/%2e%2e/%2e%2e/etc/passwd',
  ])('has nothing at %s', async (url) => {
    expect((await (await buildApp()).inject(url)).statusCode).toBe(404)
  })

  test('is counted with the others, and read only', async () => {
    const app = await buildApp()
    await app.inject('/docs')
    expect((await app.inject({ method: 'POST', url: '/docs' })).headers.allow).toBe('GET, HEAD')
    expect((await scrape(app)).get('http_status_codes{code="200",handler="other"}')).toBe(1)
  })

  test('is an unknown path with -pages=false', async () => {
    const app = await buildApp({ pages: false })
    for (const url of ['/docs', ...VIEWER]) expect((await app.inject(url)).statusCode).toBe(404)
  })
})
