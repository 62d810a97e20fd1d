import { describe, expect, test } from 'vitest'
import { buildApp, scrape } from '../helper.ts'
import { bucketsOf, call, type Samples } from './samples.ts'

function countsOf(samples: Samples): Record<string, number> {
  const counts = [...samples].filter(
    ([sample, count]) => sample.startsWith('http_status_codes{') && count > 0,
  )
  return Object.fromEntries(counts)
}

describe('http_status_codes', () => {
  test('tells 3 good calls and 2 bad ones from 5 probes and 4 scrapes, whatever else was called', async () => {
    const app = await buildApp()
    await call(app, 3, '/key/16')
    await call(app, 2, '/key/0')
    await call(app, 5, '/livez')
    await call(app, 3, '/metrics')
    await app.inject({ method: 'HEAD', url: '/key/16' })
    await app.inject({ method: 'HEAD', url: '/key/0' })
    await call(app, 2, '/nowhere')
    await call(app, 1, '/%zz')
    const samples = await scrape(app)
    expect(countsOf(samples)).toEqual({
      'http_status_codes{code="200",handler="key"}': 3,
      'http_status_codes{code="400",handler="key"}': 2,
      'http_status_codes{code="200",handler="other"}': 9,
      'http_status_codes{code="400",handler="other"}': 2,
      'http_status_codes{code="404",handler="other"}': 2,
    })
    expect(samples.get('key_length_distribution_count')).toBe(3)
  })

  test.for(['key', 'other'])('has 200, 400, 500 and 503 of %s at 0 from the start', async (handler) => {
    const samples = await scrape(await buildApp())
    for (const code of [200, 400, 500, 503]) {
      expect(samples.get(`http_status_codes{code="${code}",handler="${handler}"}`)).toBe(0)
      expect(samples.get(`http_request_duration_seconds_count{handler="${handler}",code="${code}"}`)).toBe(0)
    }
  })

  test.for([401, 403, 405, 409, 413, 429])(
    'has %s of key at 0 from the start, and no durations of it before the first',
    async (code) => {
      const app = await buildApp()
      const durations = `http_request_duration_seconds_count{handler="key",code="${code}"}`
      const before = await scrape(app)
      expect([before.get(`http_status_codes{code="${code}",handler="key"}`), before.has(durations)]).toEqual([
        0,
        false,
      ])
      app.counters.answered('key', code, performance.now())
      expect((await scrape(app)).get(durations)).toBe(1)
    },
  )

  test.for([
    ['GET', '/key/16', '200', 'key'],
    ['POST', '/key/16', '200', 'key'],
    ['GET', '/key/16?count=10', '200', 'key'],
    ['HEAD', '/key/16', '200', 'other'],
    ['GET', '/key/1025', '400', 'key'],
    ['GET', '/key/', '400', 'key'],
    ['GET', '/key/%zz', '400', 'key'],
    ['GET', `/key/${'9'.repeat(300)}`, '400', 'key'],
    ['GET', '/key/16?format=rot13', '400', 'key'],
    ['HEAD', '/key/%zz', '400', 'other'],
    ['DELETE', '/key/16', '405', 'key'],
    ['OPTIONS', '/key/zero', '405', 'key'],
    ['GET', '/key', '404', 'other'],
    ['GET', '/key/16/', '404', 'other'],
    ['POST', '/metrics', '405', 'other'],
    ['HEAD', '/metrics', '200', 'other'],
    ['GET', '/healthz', '200', 'other'],
    ['HEAD', '/nowhere', '404', 'other'],
  ] as const)('counts %s %s once: %s of %s', async ([method, url, code, handler]) => {
    const app = await buildApp()
    expect(`${(await app.inject({ method, url })).statusCode}`).toBe(code)
    expect(countsOf(await scrape(app))).toEqual({
      [`http_status_codes{code="${code}",handler="${handler}"}`]: 1,
    })
  })

  test('counts a call with a body once, as refused', async () => {
    const app = await buildApp()
    await app.inject({ method: 'POST', url: '/key/16', payload: 'a=b' })
    expect(countsOf(await scrape(app))).toEqual({ 'http_status_codes{code="413",handler="key"}': 1 })
  })

  test('counts a failure of the server', async () => {
    const app = await buildApp()
    app.counters.handedOut = () => {
      throw new Error('a defect')
    }
    await call(app, 2, '/key/16')
    expect(countsOf(await scrape(app))).toEqual({ 'http_status_codes{code="500",handler="key"}': 2 })
  })
})

test('keys and bytes are counted over all calls', async () => {
  const app = await buildApp()
  await app.inject('/key/100')
  await app.inject({ method: 'POST', url: '/key/7?count=3' })
  const samples = await scrape(app)
  expect(samples.get('keys_generated_total')).toBe(4)
  expect(samples.get('key_bytes_generated_total')).toBe(121)
})

describe('http_request_duration_seconds', () => {
  test('has as many observations as there were answers, by handler and code', async () => {
    const app = await buildApp()
    await call(app, 3, '/key/16')
    await call(app, 2, '/key/0')
    await call(app, 1, '/nowhere')
    await call(app, 4, '/readyz')
    const samples = await scrape(app)
    for (const [sample, count] of samples) {
      if (!sample.startsWith('http_status_codes{') || count === 0) continue
      const [, code, handler] = /code="(.*)",handler="(.*)"/.exec(sample) ?? []
      const labels = `handler="${handler}",code="${code}"`
      const buckets = bucketsOf(samples, 'http_request_duration_seconds', labels)
      const counts = buckets.map(([, inBucket]) => inBucket)
      expect(samples.get(`http_request_duration_seconds_count{${labels}}`)).toBe(count)
      expect(counts).toEqual(counts.toSorted((one, other) => one - other))
      expect(buckets.at(-1)).toEqual(['+Inf', count])
      expect(samples.get(`http_request_duration_seconds_sum{${labels}}`)).toBeGreaterThan(0)
    }
  })

  test('has bounds that tell 50 microseconds and 2.5 seconds apart, ever larger', async () => {
    const labels = 'handler="key",code="200"'
    const buckets = bucketsOf(await scrape(await buildApp()), 'http_request_duration_seconds', labels)
    const bounds = buckets.slice(0, -1).map(([le]) => Number(le))
    expect(bounds).toEqual([...new Set(bounds)].sort((one, other) => one - other))
    expect([bounds[0], bounds.at(-1)]).toEqual([0.00005, 2.5])
  })
})

describe('/metrics', () => {
  test('is Prometheus text', async () => {
    const app = await buildApp()
    const answer = await app.inject('/metrics')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  })

  test('answers HEAD without a body', async () => {
    const app = await buildApp()
    const answer = await app.inject({ method: 'HEAD', url: '/metrics' })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  })

  test.for([
    ['http_status_codes', 'counter', 'Counter of HTTP status codes'],
    ['key_length_distribution', 'histogram', ''],
    ['http_request_duration_seconds', 'histogram', ''],
    ['keys_generated_total', 'counter', ''],
    ['key_bytes_generated_total', 'counter', ''],
    ['entropy_self_test_failures_total', 'counter', ''],
    ['entropy_healthy', 'gauge', ''],
    ['process_cpu_seconds_total', 'counter', ''],
    ['process_resident_memory_bytes', 'gauge', ''],
    ['process_start_time_seconds', 'gauge', ''],
    ['process_open_fds', 'gauge', ''],
    ['nodejs_eventloop_lag_p99_seconds', 'gauge', ''],
    ['nodejs_heap_size_used_bytes', 'gauge', ''],
    ['nodejs_gc_duration_seconds', 'histogram', ''],
  ] as const)('has %s, a %s, with a line of help', async ([name, type, help]) => {
    const app = await buildApp()
    const lines = (await app.inject('/metrics')).body.split('\n')
    expect(lines.filter((line) => line.startsWith(`# TYPE ${name} `))).toEqual([`# TYPE ${name} ${type}`])
    expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toEqual([
      help === '' ? expect.stringMatching(/^# HELP \w+ \S.*$/) : `# HELP ${name} ${help}`,
    ])
  })

  test('tells what the process uses', async () => {
    const samples = await scrape(await buildApp())
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds']) {
      expect(samples.get(name)).toBeGreaterThan(0)
    }
    expect(samples.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0)
  })

  test('holds nothing that a client chose in a label', async () => {
    const app = await buildApp()
    const headers = { 'user-agent': 'odd-client', 'x-request-id': 'odd-id', host: 'odd-host' }
    const targets = [
      '/odd-path',
      '/odd%zz',
      '/key/odd',
      '/key/777',
      '/key/%zz',
      '/key/16?prefix=odd_',
      '/odd/?a=odd',
    ]
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PATCH'] as const) {
      for (const url of targets) await app.inject({ method, url, headers })
    }
    const allowed: Record<string, RegExp> = {
      code: /^(200|40[013459]|413|429|500|503)$/,
      handler: /^(key|other)$/,
      le: /^([0-9.]+|\+Inf)$/,
      test: /^(repetition_count|adaptive_proportion|source_error)$/,
      reason: /^(lag|in_flight|answer_bytes)$/,
      kind: /^(major|minor|incremental|weakcb)$/,
      version: RegExp(`^${process.version}$`),
      major: /^[0-9]+$/,
      minor: /^[0-9]+$/,
      patch: /^[0-9]+$/,
    }
    const samples = [...(await scrape(app)).keys()]
    const labels = samples.flatMap((sample) => [...sample.matchAll(/(\w+)="([^"]*)"/g)])
    for (const [, label = '', value] of labels) expect(value).toMatch(allowed[label] ?? `no label ${label}`)
    expect(labels.map(([, , value]) => value)).not.toContain('777')
    expect(samples.join()).not.toContain('odd')
  })
})

test('two apps of a process count for themselves', async () => {
  const [one, other] = await Promise.all([buildApp({ maxSize: 20 }), buildApp({ maxSize: 40 })])
  await call(one, 2, '/key/16')
  const [ofOne, ofOther] = [await scrape(one), await scrape(other)]
  expect(ofOne.get('keys_generated_total')).toBe(2)
  expect(ofOther.get('keys_generated_total')).toBe(0)
  expect(countsOf(ofOther)).toEqual({})
  expect(ofOther.has('key_length_distribution_bucket{le="38"}')).toBe(true)
  await one.close()
  expect((await scrape(other)).get('process_resident_memory_bytes')).toBeGreaterThan(0)
})
