import { describe, expect, test } from 'vitest'
import { Recorder, scrape } from '../helper.ts'
import { admin, bearer, expired, good, guardedApp, revoked, scraper } from './guarded-app.ts'

describe('what is told of it', () => {
  test('is counted by result', async () => {
    const app = await guardedApp()
    await app.inject('/key/16')
    for (const secret of ['x', revoked.secret, expired.secret, scraper.secret, good.secret]) {
      await app.inject({ url: '/key/16', headers: bearer(secret) })
    }
    const metrics = await scrape(app)
    const results = ['ok', 'missing', 'malformed', 'unknown', 'expired', 'forbidden']
    expect(results.map((result) => metrics.get(`auth_calls_total{result="${result}"}`))).toEqual(
      results.map(() => 1),
    )
    expect(metrics.get('api_keys')).toBe(5)
  })

  test('is a line a refusal, without the credential, and no more than ten a second', async () => {
    const log = new Recorder()
    const app = await guardedApp({}, log)
    for (let call = 0; call < 50; call++) {
      await app.inject({ url: `/key/16?token=${good.secret}`, headers: bearer(revoked.secret) })
    }
    const lines = log.text.trimEnd().split('\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      msg: 'a call was refused for its credential',
      result: 'unknown',
      remoteAddress: '127.0.0.1',
      method: 'GET',
      path: '/key/16',
    })
    expect(lines.length).toBeLessThan(50)
    expect(log.text).not.toContain('ks_')
  })

  test('is a line a key call with -log-requests: who, of what length and how many', async () => {
    const log = new Recorder()
    const app = await guardedApp({ logRequests: true }, log)
    const headers = bearer(good.secret)
    const { body } = await app.inject({ url: '/key/32?count=3', headers })
    await app.inject({ method: 'POST', url: '/key/16', headers })
    await app.inject({ url: '/key/0', headers })
    const lines = log.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.filter(({ msg }) => msg === 'keys handed out')).toMatchObject([
      { client: 'good', remoteAddress: '127.0.0.1', length: 32, count: 3 },
      { client: 'good', remoteAddress: '127.0.0.1', length: 16, count: 1 },
    ])
    expect(
      body
        .trimEnd()
        .split('\n')
        .filter((key) => log.text.includes(key)),
    ).toEqual([])
    expect(log.text).not.toContain('ks_')
  })
})

test('a rotation is a line in the log that says who asked for it', async () => {
  const log = new Recorder()
  const app = await guardedApp({ unique: true }, log)
  await app.inject({ method: 'POST', url: '/rotation', headers: bearer(admin.secret) })
  const lines = log.text.split('\n').filter((line) => line.includes('Rotation was asked for: period 2'))
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ client: 'admin', remoteAddress: '127.0.0.1' }),
  ])
  expect(log.text).not.toContain(admin.secret)
})

test('a call too many is a line in the log that says whose limit it was, at most ten a second', async () => {
  const log = new Recorder()
  const app = await guardedApp({ rateLimitAddress: 4, rateLimitClient: 1 }, log)
  const call = { url: '/key/16?x=1', headers: bearer(good.secret) }
  for (let calls = 0; calls < 50; calls++) await app.inject(call)
  const lines = log.text.split('\n').filter((line) => line.includes('a call was one too many'))
  const told = { remoteAddress: '127.0.0.1', method: 'GET', path: '/key/16' }
  const byClient = expect.objectContaining({ by: 'client', client: 'good', ...told })
  expect(lines.slice(0, 4).map((line) => JSON.parse(line))).toEqual([
    byClient,
    byClient,
    byClient,
    expect.objectContaining({ by: 'address', ...told }),
  ])
  expect(lines.length).toBeLessThan(30)
  expect(log.text).not.toContain(good.secret)
})

test('rotations count against the limit of the client too', async () => {
  const app = await guardedApp({ unique: true, rateLimitClient: 2 })
  const statuses = []
  for (let call = 0; call < 3; call++) {
    const answer = await app.inject({ method: 'POST', url: '/rotation', headers: bearer(admin.secret) })
    statuses.push(answer.statusCode)
  }
  expect(statuses).toEqual([200, 200, 429])
})
