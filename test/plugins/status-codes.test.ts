import { describe, expect, test } from 'vitest'
import { listen } from '../helper.ts'
import { counted, exchange, noHost, request } from '../tcp.ts'
import { brokenApp, LONG, unhealthyApp } from './failing-apps.ts'

describe('http_status_codes counts', () => {
  const key200 = '200 key 1'
  const key400 = '400 key 1'
  test.for([
    ['a key', request('GET', '/key/16'), key200],
    ['many keys in one answer', request('GET', '/key/16?count=9'), key200],
    ['a POST for a key', request('POST', '/key/16'), key200],
    ['a key by an absolute URL', request('GET', 'http://localhost/key/16'), key200],
    ['a key path with escapes', request('GET', '/k%65y/16'), key200],
    ['an expectation that is not known', request('GET', '/key/16', ['Expect: wonders']), key200],
    ['a wrong length', request('GET', '/key/0'), key400],
    ['a wrong length in a POST', request('POST', '/key/0'), key400],
    ['an empty length', request('GET', '/key/'), key400],
    ['a wrong parameter', request('GET', '/key/16?count=0'), key400],
    ['a bad escape in a key path', request('GET', '/key/%zz'), key400],
    ['a bad escape in a POST', request('POST', '/key/%zz'), key400],
    ['a bad escape after a good one', request('GET', '/k%65y/%zz'), key400],
    ['a bad escape by an absolute URL', request('GET', 'http://localhost/key/%zz'), key400],
    ['a bad escape before a query', request('GET', '/key/%zz?a=/b'), key400],
    ['an over-long length', request('GET', `/key/${LONG}`), key400],
    ['a key call without a Host', noHost('/key/16'), key400],
    ['a key call with a body', request('POST', '/key/16', ['Content-Length: 1'], 'a'), '413 key 1'],
    ['another method on a key path', request('DELETE', '/key/16'), '405 key 1'],
    ['another method by an absolute URL', request('PUT', 'http://localhost/key/16'), '405 key 1'],
    ['an expectation with a method refused', request('PUT', '/key/16', ['Expect: wonders']), '405 key 1'],
    ['a HEAD for a key', request('HEAD', '/key/16'), '200 other 1'],
    ['a HEAD with a wrong length', request('HEAD', '/key/0'), '400 other 1'],
    ['a HEAD with a bad escape', request('HEAD', '/key/%zz'), '400 other 1'],
    ['a HEAD with an over-long length', request('HEAD', `/key/${LONG}`), '400 other 1'],
    ['a probe', request('GET', '/livez'), '200 other 1'],
    ['a scrape', request('GET', '/metrics'), '200 other 1'],
    ['a probe without a Host', noHost('/livez'), '400 other 1'],
    ['another method on a probe', request('POST', '/readyz'), '405 other 1'],
    ['an unknown path', request('GET', '/nothing'), '404 other 1'],
    ['a path without a length', request('GET', '/key'), '404 other 1'],
    ['a path beneath a key', request('GET', '/key/16/'), '404 other 1'],
    ['a path that ends in a key path', request('GET', '/a/key/16'), '404 other 1'],
    ['a bad escape elsewhere', request('GET', '/%zz'), '400 other 1'],
    ['a bad escape in a word like key', request('GET', '/keys/%zz'), '400 other 1'],
    ['an over-long URL', request('GET', `/key/${'1'.repeat(16_384)}`), '431 other 1'],
    ['a header block over the limit', request('GET', '/key/16', [`X: ${'1'.repeat(16_384)}`]), '431 other 1'],
    ['garbage', 'garbage\r\n\r\n', '400 other 1'],
    ['a CONNECT', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', '405 other 1'],
  ] as const)('%s', async ([, bytes, expected]) => {
    const { app, port } = await listen()
    await exchange(port, bytes)
    expect(await counted(app)).toEqual([expected])
  })

  test('a failure of the server as one of the key calls', async () => {
    const { app } = await brokenApp()
    await app.inject('/key/16')
    expect(await counted(app)).toEqual(['500 key 1'])
  })

  test('a lack of randomness as the key call or the HEAD that it refused', async () => {
    const app = await unhealthyApp()
    for (const method of ['GET', 'POST', 'HEAD'] as const) await app.inject({ method, url: '/key/16' })
    expect(await counted(app)).toEqual(['503 key 2', '503 other 1'])
  })
})
