import { randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { Entropy, POOL_SIZE, type RandomSource } from '../../src/keys/entropy.ts'
import { EntropyUnavailable } from '../../src/problems.ts'
import { buildApp, Recorder, scrape } from '../helper.ts'

const LARGEST_POOLED = POOL_SIZE / 4

const MARKER = 'marker-of-a-source-4711'
const NONE_FAILED = { repetition_count: 0, adaptive_proportion: 0, source_error: 0 }

const blocks = {
  good: () => undefined,
  repetition_count: (bytes: Buffer) => bytes.fill(0xff, 100, 150),
  adaptive_proportion: (bytes: Buffer) => {
    for (let index = 512; index < 1024; index += 2) bytes[index] = 7
  },
  source_error: (bytes: Buffer) => {
    bytes.fill(0, bytes.length / 2)
    throw new Error(MARKER)
  },
}

type Block = keyof typeof blocks

const failing: Block[] = ['repetition_count', 'adaptive_proportion', 'source_error']

/** Gives the blocks of a script, then good ones; remembers what it gave in full, and the buffers it filled. */
class Source {
  readonly given: Buffer[] = []
  readonly buffers: Buffer[] = []
  broken: false | Block = false
  readonly #script: Block[]

  constructor(...script: Block[]) {
    this.#script = script
  }

  readonly fill: RandomSource = (bytes) => {
    randomFillSync(bytes)
    blocks[this.broken || (this.#script.shift() ?? 'good')](bytes)
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

/** Such a copy, or undefined while the source fails. */
function attempt(entropy: Entropy, length: number): Buffer | undefined {
  try {
    return copyOf(entropy, length)
  } catch (error) {
    expect(error).toBeInstanceOf(EntropyUnavailable)
    return undefined
  }
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
    const app = await buildApp({ maxAnswerBytes: 0 })
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
    expect(entropy.failures).toEqual(NONE_FAILED)
  })
})

describe('a failing block', () => {
  test.for(failing)('of %s is thrown away, counted and never served', (test) => {
    const source = new Source(test)
    const entropy = new Entropy(source.fill)
    expect(copyOf(entropy, 16)).toEqual(source.given.at(-1)?.subarray(0, 16))
    expect(entropy.healthy).toBe(true)
    expect(entropy.failures).toEqual({ ...NONE_FAILED, [test]: 1 })
  })

  test('at a refill is replaced by another', () => {
    const source = new Source('good', 'adaptive_proportion', 'good', 'repetition_count')
    const entropy = new Entropy(source.fill)
    const taken = Array.from({ length: 12 }, () => copyOf(entropy, LARGEST_POOLED))
    const good = [0, 2, 4].map((index) => source.given[index] ?? Buffer.alloc(0))
    expect(Buffer.concat(taken).equals(Buffer.concat(good))).toBe(true)
    expect(entropy.failures).toEqual({ ...NONE_FAILED, repetition_count: 1, adaptive_proportion: 1 })
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
    expect(entropy.failures).toEqual({ ...NONE_FAILED, repetition_count: 2, adaptive_proportion: 1 })
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

describe('a source that throws half-way', () => {
  test('leaves nothing to hand out of the pool that it was filling, zeros least of all', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    for (let taken = 0; taken < 481; taken++) copyOf(entropy, 17)
    source.broken = 'source_error'
    for (const length of [17, 15, 1]) expect(() => copyOf(entropy, length)).toThrow(EntropyUnavailable)
    source.broken = false
    expect(copyOf(entropy, 15)).toEqual(source.given[1]?.subarray(0, 15))
    expect(source.given).toHaveLength(2)
  })

  test('is drawn from twice for a pool, and once for more than a quarter of it', () => {
    const source = new Source()
    const entropy = new Entropy(source.fill)
    source.broken = 'source_error'
    expect(() => copyOf(entropy, LARGEST_POOLED + 1)).toThrow(EntropyUnavailable)
    expect([entropy.healthy, entropy.failures.source_error]).toEqual([false, 1])

    source.broken = false
    expect(entropy.recover()).toBe(true)
    for (let taken = 0; taken < 4; taken++) copyOf(entropy, LARGEST_POOLED)
    source.broken = 'source_error'
    expect(() => copyOf(entropy, 1)).toThrow(EntropyUnavailable)
    expect([entropy.healthy, entropy.failures]).toEqual([false, { ...NONE_FAILED, source_error: 3 }])
  })

  test('or fails otherwise, however often, adds no byte to what is handed out', () => {
    const script = fc.array(fc.constantFrom<Block>('good', ...failing, 'source_error'), { size: '+1' })
    const lengths = fc.array(fc.integer({ min: 16, max: LARGEST_POOLED + 500 }), { size: '+1' })
    fc.assert(
      fc.property(script, lengths, (script, lengths) => {
        const source = new Source(...script)
        const entropy = new Entropy(source.fill)
        let from = 0
        for (const length of lengths) {
          const pooled = length <= LARGEST_POOLED
          const bytes = attempt(entropy, length)
          if (bytes === undefined) continue
          const all = source.all
          const place = all.indexOf(bytes)
          expect(place).toBeGreaterThanOrEqual(pooled ? from : 0)
          if (pooled) from = place + length
        }
      }),
    )
  })
})

describe('a change of health', () => {
  test.for(failing)('by %s is told once each way, however many calls there are', (block) => {
    const changes: [boolean, unknown][] = []
    const source = new Source()
    const entropy = new Entropy(source.fill, (healthy, error) => changes.push([healthy, error]))
    expect(changes).toEqual([])

    const cause = block === 'source_error' ? expect.objectContaining({ message: MARKER }) : undefined
    const told: [boolean, unknown][] = []
    for (let round = 0; round < 3; round++) {
      source.broken = block
      while (entropy.healthy) attempt(entropy, 16)
      for (let call = 0; call < 10; call++) {
        expect(() => copyOf(entropy, 16)).toThrow(EntropyUnavailable)
        expect(entropy.recover()).toBe(false)
      }
      told.push([false, cause])
      expect(changes).toEqual(told)

      source.broken = false
      for (let call = 0; call < 10; call++) {
        copyOf(entropy, 16)
        expect(entropy.recover()).toBe(true)
      }
      told.push([true, undefined])
      expect(changes).toEqual(told)
    }
  })

  test('is told by the first draw already', () => {
    const changes: [boolean, unknown][] = []
    new Entropy(new Source('source_error', 'source_error').fill, (...change) => changes.push(change))
    expect(changes).toEqual([[false, expect.objectContaining({ message: MARKER })]])
  })

  test('is none when one block fails', () => {
    const changes: boolean[] = []
    const source = new Source('source_error', 'good', 'repetition_count')
    const entropy = new Entropy(source.fill, (healthy) => changes.push(healthy))
    for (let taken = 0; taken < 2 * POOL_SIZE; taken += 16) copyOf(entropy, 16)
    expect([entropy.failures, changes]).toEqual([
      { ...NONE_FAILED, source_error: 1, repetition_count: 1 },
      [],
    ])
  })
})

describe('over HTTP, a broken source', () => {
  const unavailable = 'No keys for now: the source of randomness fails its self-test\n'

  async function brokenApp() {
    const source = new Source()
    source.broken = 'repetition_count'
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

describe('over HTTP, a source that begins to throw', () => {
  const ILL = 'The source of randomness fails its self-test: no keys until it passes'
  const WELL = 'The source of randomness passes its self-test again'

  async function app() {
    const source = new Source()
    const log = new Recorder()
    const app = await buildApp({ maxSize: 4096 }, { randomSource: source.fill, log })
    const codesOf = async (...urls: string[]) => {
      const codes: number[] = []
      for (const url of urls) codes.push((await app.inject(url)).statusCode)
      return codes
    }
    const lines = () => log.text.split('\n', -1).slice(0, -1)
    return { source, app, codesOf, logged: () => lines().map((line): unknown => JSON.parse(line)) }
  }

  test('hands out no byte of the pool that it was filling', async () => {
    const { app: server, source, codesOf } = await app()
    expect(new Set(await codesOf(...Array<string>(481).fill('/key/17')))).toEqual(new Set([200]))
    source.broken = 'source_error'
    expect(await codesOf('/key/17', '/key/15', '/key/1', '/key/15')).toEqual([503, 503, 503, 503])
    source.broken = false
    const { body } = await server.inject('/key/15')
    expect(body).toBe(source.given[1]?.toString('hex', 0, 15))
  })

  test.for(['/key/16?count=1000', '/key/4096'])(
    'ends service and readiness at %s, and has one line in the log when it does and one when it is well',
    async (url) => {
      const { app: server, source, codesOf, logged } = await app()
      expect(await codesOf(url, '/readyz')).toEqual([200, 200])
      const ill = {
        level: 50,
        msg: ILL,
        err: { type: 'Error', message: MARKER, stack: expect.stringContaining('.ts') },
      }
      for (let round = 1; round <= 2; round++) {
        source.broken = 'source_error'
        expect(await codesOf(url, '/readyz', url, '/key/16', '/readyz', '/livez')).toEqual([
          503, 503, 503, 503, 503, 200,
        ])
        expect((await scrape(server)).get('entropy_healthy')).toBe(0)
        expect(logged()).toMatchObject([
          ...Array(round - 1)
            .fill([ill, { msg: WELL }])
            .flat(),
          ill,
        ])

        source.broken = false
        expect(await codesOf('/readyz', url, '/key/16', url)).toEqual([200, 200, 200, 200])
        expect((await scrape(server)).get('entropy_healthy')).toBe(1)
        expect(logged()).toMatchObject(
          Array(round)
            .fill([ill, { level: 30, msg: WELL }])
            .flat(),
        )
      }
    },
  )

  test('is counted by each draw that it failed, and gives no key that is counted', async () => {
    const { app: server, source, codesOf } = await app()
    source.broken = 'source_error'
    expect(await codesOf('/key/4096', '/key/4096', '/key/16')).toEqual([503, 503, 503])
    const samples = await scrape(server)
    expect(samples.get('entropy_self_test_failures_total{test="source_error"}')).toBe(3)
    expect(samples.get('http_status_codes{code="503",handler="key"}')).toBe(3)
    expect(samples.get('http_status_codes{code="500",handler="key"}')).toBe(0)
    expect(samples.get('keys_generated_total')).toBe(0)
  })

  test('in the middle of a list hands out none of it', async () => {
    const { app: server, source } = await app()
    source.broken = 'source_error'
    const { statusCode, body } = await server.inject('/key/16?count=1000')
    expect([statusCode, body]).toEqual([
      503,
      'No keys for now: the source of randomness fails its self-test\n',
    ])
    expect((await scrape(server)).get('keys_generated_total')).toBe(0)
  })
})
