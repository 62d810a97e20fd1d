import { describe, expect, test } from 'vitest'
import { guide } from '../../src/problems/guide.ts'
import * as problems from '../../src/problems/problems.ts'
import { buildApp, scrape } from '../helper.ts'

test('every problem is explained', () => {
  const classes = Object.keys(problems).filter((name) => /^[A-Z]/.test(name) && name !== 'Problem')
  expect(guide.map(({ name }) => name).sort()).toEqual(classes.sort())
  const texts = guide.flatMap(({ means, remedy }) => [means, remedy])
  expect(texts.filter((text) => !/^[A-Z/].*[.]$/.test(text))).toEqual([])
  expect(new Set(texts.filter((text) => !text.startsWith('Try again after'))).size).toBeGreaterThan(
    guide.length,
  )
})

describe('a problem type', () => {
  test.for(guide.map((problem) => [problem.type, problem] as const))(
    '%s is a page',
    async ([type, problem]) => {
      const { statusCode, headers, body } = await (await buildApp()).inject(type)
      expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(headers['content-security-policy']).toContain("default-src 'none'")
      expect(body).toContain(`<h1>${problem.title}</h1>`)
      expect(body).toContain(`<dd>${problem.status}</dd>`)
      expect(body).not.toMatch(/\{\{|undefined/)
      const addresses = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address)
      expect(addresses.filter((address) => !/^(\.\.\/|data:,$)/.test(address))).toEqual([])
    },
  )

  test('is where an answer says', async () => {
    const app = await buildApp()
    const refused = await app.inject({ url: '/key/0', headers: { accept: 'application/json' } })
    expect((await app.inject(refused.json().type)).statusCode).toBe(200)
  })

  test.for([
    '/problems',
    '/problems/',
    '/problems/nothing',
    '/problems/not-found/',
    '/problems/..%2f..%2fpackage.json',
    '/problems/__proto__',
    '/problems/constructor',
  ])('is not at %s', async (url) => {
    expect((await (await buildApp()).inject(url)).statusCode).toBe(404)
  })

  test('is read only, and counted with the others', async () => {
    const app = await buildApp()
    const { statusCode, headers } = await app.inject({ method: 'POST', url: '/problems/not-found' })
    expect([statusCode, headers.allow]).toEqual([405, 'GET, HEAD'])
    const head = await app.inject({ method: 'HEAD', url: '/problems/not-found' })
    expect([head.statusCode, head.body]).toEqual([200, ''])
    const samples = await scrape(app)
    expect(samples.get('http_status_codes{code="405",handler="other"}')).toBe(1)
    expect(samples.get('http_status_codes{code="200",handler="other"}')).toBe(1)
  })

  test('is an unknown path with -pages=false', async () => {
    expect((await (await buildApp({ pages: false })).inject('/problems/not-found')).statusCode).toBe(404)
  })
})
