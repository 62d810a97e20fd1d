import fc from 'fast-check'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { Counters } from '../../src/metrics/counters.ts'
import { buildApp, scrape } from '../helper.ts'
import { bucketsOf } from './samples.ts'

describe('key_length_distribution', () => {
  test('has the bounds of the original for keys of up to 1024', async () => {
    const labels = bucketsOf(await scrape(await buildApp({ maxSize: 1024 })), 'key_length_distribution')
    expect(labels.map(([le]) => le)).toEqual(
      [
        '0, 51.2, 102.4, 153.60000000000002, 204.8, 256, 307.2, 358.4, 409.59999999999997',
        '460.79999999999995, 511.99999999999994, 563.1999999999999, 614.4, 665.6, 716.8000000000001',
        '768.0000000000001, 819.2000000000002, 870.4000000000002, 921.6000000000003, 972.8000000000003',
        '+Inf',
      ].flatMap((line) => line.split(', ')),
    )
  })

  test('has 20 bounds from 0, each the running sum of a 20th of the maximum', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_048_576 }), async (maxSize) => {
        const registry = new Registry()
        new Counters(registry, maxSize)
        const text = await registry.getSingleMetricAsString('key_length_distribution')
        const labels = Array.from(text.matchAll(/le="([^"]*)"/g), ([, le]) => String(le))
        let sum = 0
        const bounds = Array.from({ length: 19 }, () => {
          sum += maxSize / 20
          return `${sum}`
        })
        expect(labels).toEqual(['0', ...bounds, '+Inf'])
      }),
    )
  })

  test.for([
    [1, '51.2'],
    [51, '51.2'],
    [52, '102.4'],
    [256, '256'],
    [257, '307.2'],
    [512, '563.1999999999999'],
    [972, '972.8000000000003'],
    [1024, '+Inf'],
  ] as const)('puts a key of %i bytes in the bucket of %s', async ([length, bound]) => {
    const app = await buildApp({ maxSize: 1024 })
    await app.inject(`/key/${length}`)
    const samples = await scrape(app)
    const first = bucketsOf(samples, 'key_length_distribution').find(([, count]) => count > 0)
    expect(first).toEqual([bound, 1])
    expect(samples.get('key_length_distribution_sum')).toBe(length)
  })

  test('puts a key on each bound in the bucket of that bound', async () => {
    const app = await buildApp({ maxSize: 20 })
    for (let length = 1; length <= 20; length++) await app.inject(`/key/${length}`)
    const buckets = bucketsOf(await scrape(app), 'key_length_distribution')
    expect(buckets.map(([, count]) => count)).toEqual(Array.from({ length: 21 }, (_, index) => index))
  })

  test.for(['', '&format=raw', '&format=base58', '&prefix=test_&checksum=crc32'])(
    'observes each of a thousand keys%s, and nothing when a call is refused',
    async (parameters) => {
      const app = await buildApp()
      await app.inject(`/key/16?count=1000${parameters}`)
      await app.inject('/key/16?count=1001')
      await app.inject({ method: 'HEAD', url: '/key/16?count=1000' })
      const samples = await scrape(app)
      expect(samples.get('key_length_distribution_count')).toBe(1000)
      expect(samples.get('key_length_distribution_sum')).toBe(16_000)
      expect(samples.get('key_length_distribution_bucket{le="0"}')).toBe(0)
      expect(samples.get('key_length_distribution_bucket{le="51.2"}')).toBe(1000)
      expect(samples.get('keys_generated_total')).toBe(1000)
      expect(samples.get('key_bytes_generated_total')).toBe(16_000)
    },
  )
})
