import { base64 } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { DEFAULT_FORMAT } from '../../src/keys/encodings.ts'
import { buildApp } from '../helper.ts'
import { keyOf } from '../key-form.ts'
import { drawn, JSON_CLIENT, knownSource } from './key-calls.ts'

describe('JSON', () => {
  test('holds one key and what it is', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { headers, body } = await app.inject({ url: '/key/16?format=base64', headers: JSON_CLIENT })
    expect([headers['content-type'], JSON.parse(body)]).toEqual([
      'application/json; charset=utf-8',
      { key: base64.encode(drawn(0, 16)), length: 16, format: 'base64', entropyBits: 128 },
    ])
  })

  test.for([1, 2])('holds a list when count is %d', async (count) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { body } = await app.inject({ url: `/key/5?count=${count}`, headers: JSON_CLIENT })
    expect(JSON.parse(body)).toEqual({
      keys: Array.from({ length: count }, (_, index) => keyOf(drawn(index * 5, 5))),
      length: 5,
      format: DEFAULT_FORMAT,
      entropyBits: 40,
    })
  })

  test('is not to be kept or sniffed either', async () => {
    const app = await buildApp()
    const { headers } = await app.inject({ url: '/key/16', headers: JSON_CLIENT })
    expect([headers['cache-control'], headers['x-content-type-options']]).toEqual(['no-store', 'nosniff'])
  })

  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
  test.for([
    ['application/json', true],
    ['APPLICATION/JSON', true],
    ['application/json; charset=utf-8', true],
    ['application/*', true],
    ['application/json, text/plain;q=0.9', true],
    ['text/plain;q=0.9, application/json', true],
    ['  application/json ; q=0.8 ,text/plain; Q=0.799', true],
    ['application/json, */*;q=0.1', true],
    ['application/*;q=0.9, */*;q=0.8', true],
    ['application/json;q=0.6, application/*;q=0.1, text/*;q=0.5', true],
    ['text/plain;q=0, */*', true],
    ['application/json, text/plain, */*', false],
    ['text/plain, application/json', false],
    ['application/json;q=0.5, text/plain', false],
    ['application/json;q=0.1, application/*, text/plain;q=0.5', false],
    ['application/json;q=0.5, */*', false],
    ['application/json;q=0', false],
    ['application/*, text/*', false],
    ['text/*', false],
    ['image/png', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
    [browser, false],
    ['application/json;q=abc', false],
    ['application/json;q=', false],
    ['application/json;q=-1', false],
    ['application/json;q=2, text/plain', false],
    ['text/html, application/json;q=0.9, */*;q=0.8', false],
    ['json', false],
    [',;,=/q', false],
    ['__proto__', false],
  ] as const)('Accept: %s', async ([accept, json]) => {
    const app = await buildApp()
    const { headers } = await app.inject({ url: '/key/16', headers: accept === undefined ? {} : { accept } })
    expect(headers['content-type']).toBe(
      json ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8',
    )
  })
})
