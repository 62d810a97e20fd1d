import { describe, expect, test } from 'vitest'
import { listen, scrape } from '../helper.ts'
import { keySize } from '../key-form.ts'
import { answersIn, converse, counted, kept } from '../tcp.ts'

describe('on one connection', () => {
  const keys = ['/key/16', '/key/17', '/key/18'].map((target) => kept('GET', target)).join('')
  const livez = kept('GET', '/livez')
  const garbage = 'garbage\r\n\r\n'
  const chunked = ['Transfer-Encoding: chunked']
  const connectMethod = 'CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n'
  const three = [16, 17, 18].map((length) => `200 ${keySize(length)}`)

  test.for([
    ['keys and garbage', keys + garbage, [...three, '400 18'], ['200 key 3', '400 other 1'], 3],
    ['keys and CONNECT', keys + connectMethod, [...three, '405 40'], ['200 key 3', '405 other 1'], 3],
    [
      'keys and a header that is too large',
      keys + kept('GET', '/key/16', [`X: ${'1'.repeat(20_000)}`]),
      [...three, '431 47'],
      ['200 key 3', '431 other 1'],
      3,
    ],
    ['a probe and garbage', livez + garbage, ['200 3', '400 18'], ['200 other 1', '400 other 1'], 0],
    ['a probe and CONNECT', livez + connectMethod, ['200 3', '405 40'], ['200 other 1', '405 other 1'], 0],
    ['garbage and a key', garbage + keys, ['400 18'], ['400 other 1'], 0],
    ['a malformed chunked body', kept('POST', '/key/16', chunked, 'zz\r\n'), ['400 18'], ['400 other 1'], 0],
    [
      'a key and a malformed chunked body',
      kept('GET', '/key/16') + kept('POST', '/key/16', chunked, 'zz\r\n'),
      [`200 ${keySize(16)}`, '400 18'],
      ['200 key 1', '400 other 1'],
      1,
    ],
  ] as const)('%s are answered in order and counted once each', async ([, bytes, answers, counts, made]) => {
    const { app, port } = await listen()
    const answered = answersIn(await converse(port, bytes))
    expect(answered.map(({ status, body }) => `${status} ${body.length}`)).toEqual(answers)
    expect(await counted(app)).toEqual(counts)
    expect((await scrape(app)).get('keys_generated_total')).toBe(made)
  })

  test.for([
    [
      'a GET whose body is cut short',
      kept('GET', '/key/16', ['Content-Length: 5'], 'ab'),
      ['413 31'],
      ['413 key 1'],
    ],
    [
      'a POST whose body is cut short',
      kept('POST', '/key/16', ['Content-Length: 5'], 'ab'),
      ['413 31'],
      ['413 key 1'],
    ],
    ['a POST whose body never begins', kept('POST', '/key/16', ['Content-Length: 5']), [], []],
    ['half a request line', 'GET /key', [], []],
    ['half a header', 'GET /key/16 HTTP/1.1\r\nHost: a\r\nX-Ha', [], []],
    ['headers without their end', 'GET /key/16 HTTP/1.1\r\nHost: a\r\n', [], []],
    ['keys and half a header', `${keys}GET /key/16 HTTP/1.1\r\nHo`, three, ['200 key 3']],
    ['nothing', '', [], []],
  ] as const)('%s before the end of the client counts as no error', async ([, bytes, answers, counts]) => {
    const { app, port } = await listen()
    const answered = answersIn(await converse(port, bytes, 'half-close'))
    expect(answered.map(({ status, body }) => `${status} ${body.length}`)).toEqual(answers)
    expect(await counted(app)).toEqual(counts)
  })

  test.for([
    ['POST', '/key/16', ''],
    ['POST', '/key/16', '1\r\na\r\n'],
    ['GET', '/key/16', ''],
    ['GET', '/key/0', ''],
    ['GET', '/livez', ''],
    ['GET', '/readyz', ''],
    ['GET', '/nothing', ''],
    ['HEAD', '/key/16', ''],
    ['DELETE', '/key/16', ''],
  ] as const)(
    'a malformed chunked body of %s %s after %j leads to no count that is not answered',
    async (row) => {
      const [method, target, start] = row
      const { app, port } = await listen()
      const text = await converse(port, kept(method, target, chunked, `${start}zz\r\n`))
      const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status)
      const counts = (await counted(app)).map((count) => count.split(' '))
      expect(counts.flatMap(([code, , count]) => Array(Number(count)).fill(code)).sort()).toEqual(
        statuses.sort(),
      )
      expect(statuses).not.toEqual([])
    },
  )

  const large = '/key/1048576?count=4&format=raw'
  test('half a header and the end of the client do not cut off a large answer', async () => {
    const { app, port } = await listen({ maxSize: 1_048_576, maxBatchBytes: 4_194_304 })
    const answers = answersIn(await converse(port, `${kept('GET', large)}GET /key`, 'half-close'))
    expect(answers.map(({ status, body }) => [status, body.length])).toEqual([[200, 4_194_304]])
    expect(await counted(app)).toEqual(['200 key 1'])
  })
})
