import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashSecret, newSecret } from '../../src/access/api-keys.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { listen, Recorder, scrape } from '../helper.ts'
import { MAX_SIZE, rawBytes } from '../raw-http.ts'
import { converse, exchange, request } from '../tcp.ts'

/** For each kind of server. */
const FUZZ_MS = 30_000

const secret = newSecret()
const apiKeys = JSON.stringify({
  keys: [{ id: 'a', sha256: hashSecret(secret).toString('hex'), scopes: ['key', 'metrics'] }],
})
const guarded = {
  apiKeysFile: 'given',
  rateLimitAddress: 1_000_000,
  rateLimitClient: 1_000_000,
  logRequests: true,
}

test.for<[string, Partial<Config>]>([
  ['as it is', {}],
  ['that asks for keys, limits and logs', guarded],
])('for half a minute no bytes make a server %s fail', async ([, overrides]) => {
  const log = new Recorder()
  const settings = { maxSize: MAX_SIZE, maxBatchBytes: 4096, maxInFlight: 1000, maxLag: 60_000, ...overrides }
  const { app, port } = await listen(settings, { log, apiKeys })
  await fc.assert(
    fc.asyncProperty(
      rawBytes,
      fc.boolean(),
      fc.constantFrom('half-close', 'half-close', 'reset'),
      async (bytes, known, ending) => {
        const line = `\r\nAuthorization: Bearer ${known ? secret : secret.slice(1)}\r\n`
        const sent = Buffer.from(bytes.toString('latin1').replace('\r\n', line), 'latin1')
        expect(await converse(port, sent, ending)).toMatch(/^(HTTP\/1\.1 [1-4]|$)/)
      },
    ),
    { numRuns: 10_000_000, interruptAfterTimeLimit: FUZZ_MS },
  )
  const failures = [...(await scrape(app))].filter(
    ([name, value]) => name.startsWith('http_status_codes{code="5') && value > 0,
  )
  expect(failures).toEqual([])
  expect(log.text).toMatch(/^([ -~]+\n)*$/)
  expect(log.text).not.toMatch(/"level":(50|60)|ks_/)
  const answer = await exchange(port, request('GET', '/key/16', [`Authorization: Bearer ${secret}`]))
  expect(answer.status).toBe(200)
})
