import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { prefersJson } from '../../src/http/accept.ts'

const browser =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'

describe('text is for', () => {
  test.for([
    undefined,
    '',
    '*/*',
    browser,
    'text/plain',
    'application/json, text/plain, */*',
    'application/json, text/plain',
    'application/json, text/*',
    'application/json, */*',
    'text/plain, application/json;q=0.9',
    'application/json;q=0.5, text/plain;q=0.501',
    'application/json;q=0.5, */*',
    'application/json;q=0',
    'application/json;q=0, application/*, */*;q=0.5',
    'application/json;q=none',
    'application/json;q=7',
    'application/json;q=-1',
    'application/json;q=0x1',
    'application/json;q=1e-1',
    'application/json;q=2',
    'application/json;q=1.001',
    'application/json;q=0.1234',
    'application/json;q=.9',
    'application/json;q=+1',
    'application/json;q= 1',
    'text/html, application/json;q=0.9, */*;q=0.8',
    'text/html, application/json',
    'text/html;q=0.2, text/csv, application/json;q=0.9',
    'application/json;q=0.5, text/html;q=0.1, text/plain;q=0.6',
    'application/xml',
    'application/jsonp',
    'text/json',
    'json',
    ',;q=,/',
  ])('%j', (accept) => {
    expect(prefersJson(accept)).toBe(false)
  })
})

describe('JSON is for', () => {
  test.for([
    'application/json',
    'APPLICATION/JSON',
    'application/json;q=0.001',
    'application/json; charset=utf-8',
    'application/json;charset=utf-8;q=0.5, text/plain;q=0.4',
    'application/json, text/plain;q=0.999',
    'text/plain;q=0.1, application/json;Q=0.2',
    '\tapplication/json ; q=0.9 ,  text/plain ; q=0.8',
    'application/json, */*;q=0.9',
    'application/*',
    'application/*, text/*;q=0.5',
    'text/plain;q=0.5, */*',
    'application/json, text/*, text/plain;q=0.3',
    'application/json;q=0.9, text/html, text/plain;q=0.3',
    'application/json, text/html;q=0.9',
    'application/json, text/plain;q=2',
    'application/json;q=0.1, text/plain;q=0x1',
    'application/json;q=0.01, text/plain;q=1e-1',
    'application/json;q=1., text/plain;q=0.999',
    'application/json;q=1.000, text/plain;q=0.',
  ])('%j', (accept) => {
    expect(prefersJson(accept)).toBe(true)
  })
})

test('the qualities decide, and the order does not', () => {
  const thousandths = fc.integer({ min: 0, max: 1000 })
  const ranges = fc.tuple(thousandths, thousandths, fc.boolean())
  fc.assert(
    fc.property(ranges, ([json, text, jsonFirst]) => {
      const elements = [`application/json;q=${json / 1000}`, `text/plain;q=${text / 1000}`]
      const accept = (jsonFirst ? elements : elements.toReversed()).join(', ')
      expect(prefersJson(accept)).toBe(json > text)
    }),
    { examples: [[[500, 500, true]]] },
  )
})
