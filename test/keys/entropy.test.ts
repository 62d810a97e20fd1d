import { randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { Entropy, POOL_SIZE, type RandomSource } from '../../src/keys/entropy.ts'
import { EntropyUnavailable } from '../../src/problems.ts'
import { buildApp, scrape } from '../helper.ts'

const LARGEST_POOLED = POOL_SIZE / 4

const blocks = {
  good: () => undefined,
  repetition_count: (bytes: Buffer) => bytes.fill(0xff, 100, 150),
  adaptive_proportion: (bytes: Buffer) => {
    for (let index = 512; index < 1024; index += 2) bytes[index] = 7
  },
}

type Block = keyof typeof blocks

const failing: Block[] = ['repetition_count', 'adaptive_proportion']

/** Gives the blocks of a script, then good ones; remembers what it gave, and the buffers it filled. */
class Source {
  readonly given: Buffer[] = []
  readonly buffers: Buffer[] = []
  broken = false
  readonly #script: Block[]

  constructor(...script: Block[]) {
    this.#script = script
  }

  readonly fill: RandomSource = (bytes) => {
    randomFillSync(bytes)
    blocks[this.broken ? 'repetition_count' : (this.#script.shift() ?? 'good')](bytes)
    this.given.push(Buffer.from(bytes))
    this.buffers.push(bytes)
  }

  get all(): Buffer {
    return Buffer.concat(this.given)
  }
}

function copyOf(entropy: Entropy, length: number): Buffer {
  return entropy.take(length, (bytes, start, end) => Buffer.from(bytes.subarray(start, end)))
}

function unwiped(bytes: Buffer | undefined, start: number, end: number): number | undefined {
  return bytes?.subarray(start, end).filter((byte) => byte !== 0).length
}

describe('the bytes', () => {
  test.for([1, 8, 16, 64, LARGEST_POOLED])(
    'taken %i at a time are those of the source, in its order and none left out',
    (length) => {
      const source = new Source()
      const entropy = new Entropy(source.fill)
      const taken = Array.from({ length: (3 * POOL_SIZE) / length }, () => copyOf(entropy, length))
      expect(Buffer.concat(taken).equals(source.all)).toBe(true)
    },
  )

  test('are never handed out twice, whatever lengths are mixed', () => {
    const lengths = fc.array(fc.integer({ min: 8, max: LARGEST_POOLED + 500 }), { size: '+1' })
    fc.assert(
      fc.property(lengths, (lengths) => {
        const source = new Source()
        const entropy = new Entropy(source.fill)
        const taken = lengths.map((length) => copyOf(entropy, length))
        const all = source.all
        const places = taken
          .map((bytes) => ({ start: all.indexOf(bytes), length: bytes.length }))
          .sort((one, other) => one.start - other.start)
        let free = 0
        for (const { start, length } of places) {
          expect(start).toBeGreaterThanOrEqual(free)
          free = start + length
        }
        expect(taken.map((bytes) => bytes.length)).toEqual(lengths)
      }),
    )
  })

  test('of a use that failed are not handed out after it', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    const fail = () => {
      throw new RangeError('no use')
    }
    expect(() => entropy.take(16, fail)).toThrow('no use')
    expect(copyOf(entropy, 16)).toEqual(source.all.subarray(16, 32))
  })

  test('of a million keys of concurrent requests hold no repeat', async () => {
    const app = await buildApp()
    const answers = await Promise.all(Array.from({ length: 1000 }, () => app.inject('/key/16?count=1000')))
    const keys = new Set<string>()
    for (const { body } of answers) {
      for (const key of body.trimEnd().split('\n')) keys.add(key)
    }
    expect(keys.size).toBe(1_000_000)
  }, 30_000)
})

describe('wiping', () => {
  test('leaves no byte of a key in the pool, and touches none of the next', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    copyOf(entropy, 100)
    copyOf(entropy, 28)
    expect(unwiped(source.buffers[0], 0, 128)).toBe(0)
    expect(source.buffers[0]?.subarray(128)).toEqual(source.given[0]?.subarray(128))
  })

  test.for([LARGEST_POOLED + 1, POOL_SIZE, 100_000])('leaves nothing of %i bytes past the pool', (length) => {
    const source = new Source()
    copyOf(new Entropy(source.fill), length)
    expect(source.buffers[1]).toHaveLength(length)
    expect(unwiped(source.buffers[1], 0, length)).toBe(0)
  })

  test('leaves nothing of a failing block', () => {
    const source = new Source('repetition_count', 'repetition_count')
    new Entropy(source.fill)
    expect(unwiped(source.buffers[0], 0, POOL_SIZE)).toBe(0)
  })
})

describe('a quarter of the pool', () => {
  test('is the most that comes from it', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    copyOf(entropy, LARGEST_POOLED)
    expect(source.given).toHaveLength(1)
    expect(copyOf(entropy, LARGEST_POOLED + 1)).toEqual(source.given[1])
    expect(copyOf(entropy, 16)).toEqual(source.given[0]?.subarray(LARGEST_POOLED, LARGEST_POOLED + 16))
  })

  test('is the most that is tested', () => {
    const source = new Source('good', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect(copyOf(entropy, LARGEST_POOLED + 1)).toEqual(source.given[1])
    expect(entropy.healthy).toBe(true)
    expect(entropy.failures).toEqual({ repetition_count: 0, adaptive_proportion: 0 })
  })
})

describe('a failing block', () => {
  test.for(failing)('of %s is thrown away, counted and never served', (test) => {
    const source = new Source(test)
    const entropy = new Entropy(source.fill)
    expect(copyOf(entropy, 16)).toEqual(source.given[1]?.subarray(0, 16))
    expect(entropy.healthy).toBe(true)
    expect(entropy.failures).toEqual({ repetition_count: 0, adaptive_proportion: 0, [test]: 1 })
  })

  test('at a refill is replaced by another', () => {
    const source = new Source('good', 'adaptive_proportion', 'good', 'repetition_count')
    const entropy = new Entropy(source.fill)
    const taken = Array.from({ length: 12 }, () => copyOf(entropy, LARGEST_POOLED))
    const good = [0, 2, 4].map((index) => source.given[index] ?? Buffer.alloc(0))
    expect(Buffer.concat(taken).equals(Buffer.concat(good))).toBe(true)
    expect(entropy.failures).toEqual({ repetition_count: 1, adaptive_proportion: 1 })
  })

  test('and a second in a row end the service until one passes, with one refill for each take', () => {
    const source = new Source('adaptive_proportion', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect(entropy.healthy).toBe(false)
    expect(source.given).toHaveLength(2)

    expect(() => copyOf(entropy, 16)).toThrow(EntropyUnavailable)
    expect(entropy.healthy).toBe(false)
    expect(source.given).toHaveLength(3)

    expect(copyOf(entropy, 16)).toEqual(source.given[3]?.subarray(0, 16))
    expect(entropy.healthy).toBe(true)
    expect(source.given).toHaveLength(4)
    expect(entropy.failures).toEqual({ repetition_count: 2, adaptive_proportion: 1 })
  })

  test('twice at a refill fails the take that needed it', () => {
    const source = new Source('good', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    for (let taken = 0; taken < POOL_SIZE; taken += 1024) copyOf(entropy, 1024)
    expect(() => copyOf(entropy, 16)).toThrow(EntropyUnavailable)
    expect(source.given).toHaveLength(3)
    expect(copyOf(entropy, 16)).toEqual(source.given[3]?.subarray(0, 16))
  })

  test('twice holds back keys that go past the pool too', () => {
    const source = new Source('repetition_count', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect(() => copyOf(entropy, POOL_SIZE)).toThrow(EntropyUnavailable)
    expect(source.given.map((bytes) => bytes.length)).toEqual([POOL_SIZE, POOL_SIZE, POOL_SIZE])
    expect(copyOf(entropy, POOL_SIZE)).toEqual(source.given[4])
  })

  test('is made up for by one block a call of recover(), which draws none while all is well', () => {
    const source = new Source('repetition_count', 'repetition_count', 'repetition_count')
    const entropy = new Entropy(source.fill)
    expect([entropy.recover(), source.given.length]).toEqual([false, 3])
    expect([entropy.recover(), source.given.length]).toEqual([true, 4])
    expect([entropy.recover(), source.given.length]).toEqual([true, 4])
  })
})

describe('over HTTP, a broken source', () => {
  const unavailable = 'No keys for now: the source of randomness fails its self-test\n'

  async function brokenApp() {
    const source = new Source()
    source.broken = true
    return { source, app: await buildApp({ maxSize: 4096 }, { randomSource: source.fill }) }
  }

  async function statusOf(app: FastifyInstance, url: string): Promise<number> {
    return (await app.inject(url)).statusCode
  }

  test.for([
    { method: 'GET', url: '/key/16' },
    { method: 'POST', url: '/key/16' },
    { method: 'GET', url: '/key/4096' },
    { method: 'GET', url: '/key/16?format=raw&count=10' },
  ] as const)('answers $method $url with 503 and Retry-After', async (request) => {
    const { app } = await brokenApp()
    const answer = await app.inject(request)
    expect([answer.statusCode, answer.body]).toEqual([503, unavailable])
    expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('is a problem document to a client that prefers JSON', async () => {
    const { app } = await brokenApp()
    const answer = await app.inject({ url: '/key/16', headers: { accept: 'application/json' } })
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': expect.stringMatching(/^[1-9][0-9]*$/),
    })
    expect(answer.json()).toMatchObject({ type: '/problems/entropy-unavailable', status: 503 })
  })

  test('makes HEAD answer as GET would, without drawing a block', async () => {
    const { app, source } = await brokenApp()
    const drawn = source.given.length
    const answer = await app.inject({ method: 'HEAD', url: '/key/16' })
    expect([answer.statusCode, answer.body]).toEqual([503, ''])
    expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/)
    expect(source.given).toHaveLength(drawn)
  })

  test('makes the server unready, not dead', async () => {
    const { app } = await brokenApp()
    const readiness = await app.inject('/readyz')
    expect([readiness.statusCode, readiness.body]).toEqual([
      503,
      'Not ready: the source of randomness fails its self-test\n',
    ])
    expect(await statusOf(app, '/livez')).toBe(200)
    expect(await statusOf(app, '/key/0')).toBe(400)
  })

  test('is seen in the metrics', async () => {
    const source = new Source(
      'adaptive_proportion',
      'repetition_count',
      'repetition_count',
      'repetition_count',
    )
    const app = await buildApp({}, { randomSource: source.fill })
    for (let call = 0; call < 2; call++) await app.inject('/key/16')
    const samples = await scrape(app)
    expect(samples.get('entropy_healthy')).toBe(0)
    expect(samples.get('entropy_self_test_failures_total{test="repetition_count"}')).toBe(3)
    expect(samples.get('entropy_self_test_failures_total{test="adaptive_proportion"}')).toBe(1)
    expect(samples.get('http_status_codes{code="503",handler="key"}')).toBe(2)
    expect(samples.get('key_length_distribution_count')).toBe(0)
  })

  test.for(['/key/16', '/readyz'])('is forgotten at the next %s once it works', async (url) => {
    const { app, source } = await brokenApp()
    expect(await statusOf(app, url)).toBe(503)
    source.broken = false
    expect(await statusOf(app, url)).toBe(200)
    expect((await scrape(app)).get('entropy_healthy')).toBe(1)
    expect(await statusOf(app, '/key/16')).toBe(200)
    expect(await statusOf(app, '/readyz')).toBe(200)
  })

  test('in the middle of a batch hands out none of it', async () => {
    const source = new Source('good', 'repetition_count', 'repetition_count')
    const app = await buildApp({}, { randomSource: source.fill })
    const answer = await app.inject('/key/16?count=1000')
    expect([answer.statusCode, answer.body]).toEqual([503, unavailable])
    const samples = await scrape(app)
    expect(samples.get('keys_generated_total')).toBe(0)
    expect(samples.get('key_length_distribution_count')).toBe(0)
  })
})
