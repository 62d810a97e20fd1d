import { describe, expect, test } from 'vitest'
import { loggedPath } from '../../src/request-log.ts'
import { buildApp, listen, Recorder } from '../helper.ts'
import { exchange, request } from '../tcp.ts'
import { brokenApp, JSON_CLIENT, LONG } from './failing-apps.ts'

describe('the log', () => {
  test.for([false, true])('never holds a key, with -log-requests=%s', async (logRequests) => {
    const log = new Recorder()
    const app = await buildApp({ logRequests }, { log })
    const keys: string[] = []
    for (const format of ['hex', 'base64', 'base64url', 'base32', 'base58']) {
      const lines = await app.inject(`/key/16?count=5&format=${format}&prefix=sk_&checksum=crc32`)
      const one = await app.inject({ url: `/key/16?format=${format}`, method: 'POST' })
      const json = await app.inject({ url: `/key/16?count=5&format=${format}`, headers: JSON_CLIENT })
      keys.push(...lines.body.trimEnd().split('\n'), one.body, ...json.json().keys)
    }
    const { rawPayload } = await app.inject('/key/16?format=raw')
    const encodings = ['hex', 'base64', 'base64url', 'latin1', 'utf8'] as const
    keys.push(...encodings.map((encoding) => rawPayload.toString(encoding)))

    await app.inject('/key/0')
    expect(log.text.includes('/key/16')).toBe(logRequests)
    expect(keys.filter((key) => log.text.includes(key))).toEqual([])
  })

  test.for([
    ['/key/16?token=SECRET', '/key/16', 200],
    ['/key/%1b%0a?token=SECRET', '/key/%1b%0a', 400],
    ['/key/%zz?token=SECRET', '/key/%zz', 400],
    ['/nothing?token=SECRET?more', '/nothing', 404],
    ['http://localhost/key/16?token=SECRET', '/key/16', 200],
  ] as const)('of a request for %s has the path alone', async ([target, path, status]) => {
    const log = new Recorder()
    const { port } = await listen({ logRequests: true }, { log })
    expect((await exchange(port, request('GET', target))).status).toBe(status)
    const [, ...lines] = log.text.trimEnd().split('\n')
    const messages = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg !== 'keys handed out')
    expect(messages).toMatchObject([
      { msg: 'incoming request', method: 'GET', path, remoteAddress: '127.0.0.1' },
      { msg: 'request completed', statusCode: status },
    ])
    expect(log.text).not.toMatch(/SECRET|token/)
  })

  test.for(['/\x9b31m\x85\xff', '/key/16?token=SECRET\x9b', '/key/%zz\x85?token=SECRET'])(
    'has no more than printable ASCII of %j, whether or not Node takes the raw bytes',
    async (target) => {
      const log = new Recorder()
      const { port } = await listen({ logRequests: true }, { log })
      await exchange(port, request('GET', target))
      expect(log.text).toMatch(/^([ -~]+\n)+$/)
      expect(log.text).not.toMatch(/SECRET|token/)
    },
  )

  test('escapes what a terminal would obey in a path', () => {
    expect(loggedPath('/a\x1b[31m\n\x7f\x85\x9b\xff\u2028~ ?token=SECRET?\x9b')).toBe(
      String.raw`/a\u001b[31m\u000a\u007f\u0085\u009b\u00ff\u2028~ `,
    )
  })

  test('of a failure of the server has its path in printable ASCII', async () => {
    const log = new Recorder()
    const { app } = await brokenApp(log)
    const { statusCode } = await app.inject('/k%65y/16?token=SECRET%0a')
    expect([statusCode, JSON.parse(log.text).path]).toEqual([500, '/k%65y/16'])
  })

  test('has no line for what clients do wrong', async () => {
    const log = new Recorder()
    const app = await buildApp({}, { log })
    for (const url of ['/key/0', '/key/%zz', `/key/${LONG}`, '/nothing']) await app.inject(url)
    expect(log.text).toBe('')
  })
})
