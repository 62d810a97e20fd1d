import { describe, expect, test } from 'vitest'
import { buildApp, scrape } from '../helper.ts'
import { keyOf } from '../key-form.ts'
import { drawn, knownSource, problemOf, refused } from './key-calls.ts'

describe('count', () => {
  test.for([1, 2, 3])('%d gives that many lines, each ended by a newline', async (count) => {
    const app = await buildApp({}, { randomSource: knownSource })
    const lines = Array.from({ length: count }, (_, index) => `${keyOf(drawn(index * 16, 16))}\n`)
    expect((await app.inject(`/key/16?count=${count}`)).body).toBe(lines.join(''))
  })

  test('joins raw keys', async () => {
    const app = await buildApp({}, { randomSource: knownSource })
    const { rawPayload } = await app.inject('/key/16?format=raw&count=3')
    expect(new Uint8Array(rawPayload)).toEqual(drawn(0, 48))
  })

  test.for(['0', '00', '-1', '1e9', '1e2', '', '1.0', '+1', ' 1', '0x1', '٣', 'abc', '9'.repeat(30), '1001'])(
    '%s is refused',
    async (count) => {
      const app = await buildApp()
      expect(await problemOf(app, { url: '/key/16', query: { count } })).toEqual(refused('invalid-count'))
    },
  )

  test.for([
    ['as many as max-count', '/key/1?count=3', 200],
    ['more than max-count', '/key/1?count=4', 400],
    ['as many bytes as max-batch-bytes', '/key/50?count=2', 200],
    ['more bytes than max-batch-bytes', '/key/51?count=2', 400],
    ['more raw bytes than max-batch-bytes', '/key/51?count=2&format=raw', 400],
    ['one key as long as max-batch-bytes', '/key/100', 200],
  ] as const)('asks for %s', async ([, url, status]) => {
    const app = await buildApp({ maxCount: 3, maxBatchBytes: 100, maxSize: 100 })
    expect((await app.inject(url)).statusCode).toBe(status)
  })

  test('is at most 1,000 keys and 1 MiB by default', async () => {
    const app = await buildApp({ maxSize: 2048 })
    const urls = [
      '/key/1048?count=1000',
      '/key/1049?count=1000',
      '/key/2048?count=512',
      '/key/2048?count=513',
    ]
    const answers = await Promise.all(urls.map((url) => app.inject(url)))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 400, 200, 400])
  })

  test('counts each key once, by its length', async () => {
    const app = await buildApp()
    await app.inject('/key/100?count=3')
    const metrics = await scrape(app)
    expect([
      metrics.get('key_length_distribution_bucket{le="51.2"}'),
      metrics.get('key_length_distribution_bucket{le="102.4"}'),
      metrics.get('keys_generated_total'),
      metrics.get('key_bytes_generated_total'),
    ]).toEqual([0, 3, 3, 300])
  })
})
