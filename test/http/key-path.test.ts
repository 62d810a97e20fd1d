import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isKeyPath } from '../../src/http/key-path.ts'
import { listen } from '../helper.ts'
import { keyPattern } from '../key-form.ts'

describe('a key path', () => {
  test.for([
    '/key/16',
    '/key/',
    '/key/?format=hex',
    '/key/16?next=/a/b',
    '/key/16#/a/b',
    '/key/-1',
    '/key/%zz',
    '/key/%',
    '/key/a%2Fb',
    `/key/${'9'.repeat(101)}`,
    '/%6bey/16',
    '/%6B%65%79/16',
    'http://localhost:1123/key/16',
    'https://localhost/key/',
  ])('is %s', (target) => {
    expect(isKeyPath(target)).toBe(true)
  })
})

describe('no key path', () => {
  test.for([
    '',
    '/',
    '*',
    '/key',
    '/key?/16',
    '/key#/16',
    '/key/16/',
    '/key/16/17',
    '//key/16',
    'key/16',
    '/keys/16',
    '/Key/16',
    '/%4bey/16',
    '/%zzkey/16',
    '/api/key/16',
    '/?/key/16',
    '/metrics',
    'http://localhost',
    'http://key/16',
    'http://localhost?/key/16',
    'ftp://localhost/key/16',
  ])('is %j', (target) => {
    expect(isKeyPath(target)).toBe(false)
  })
})

test('is what the router takes for one', async () => {
  const { port } = await listen()
  const segment = fc.constantFrom(
    'key',
    '%6bey',
    'k%65y',
    'Key',
    'key%',
    '',
    '16',
    '0',
    '..',
    '%zz',
    '%2F',
    ';',
  )
  const target = fc
    .tuple(
      fc.constantFrom('', '', '', 'http://localhost'),
      fc.array(segment, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('', '', '?', '?/key/16', '#/', 'x'.repeat(101)),
    )
    .map(([root, segments, end]) => `${root}/${segments.join('/')}${end}`)
  const answered = (path: string) =>
    new Promise<string>((resolve, reject) => {
      request({ port, path }, (response) => text(response).then(resolve, reject))
        .on('error', reject)
        .end()
    })
  await fc.assert(
    fc.asyncProperty(target, async (path) => {
      const answer = await answered(path)
      const known = answer === 'Invalid key length\n' || keyPattern(16).test(answer)
      expect(known).toBe(isKeyPath(path))
    }),
    { numRuns: 300 },
  )
})
