import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import auth from '../../plugins/auth.ts'
import config from '../../plugins/config.ts'
import health from '../../plugins/health.ts'
import keyGeneration from '../../plugins/key-generation.ts'
import keySpace from '../../plugins/key-space.ts'
import metrics from '../../plugins/metrics.ts'
import overload from '../../plugins/overload.ts'
import salt from '../../plugins/salt.ts'
import { wholeNumber } from '../../src/schemas/whole-number.ts'
import { listen, newFolder, Recorder, scrape, settings } from '../helper.ts'
import { needs } from '../program.ts'

const SETTINGS = { maxSize: 64, maxBatchBytes: 4096 }

/** The description of the routes by their own schemas. */
async function describeRoutes(): Promise<object> {
  const log = pino({ level: 'silent' })
  const app = Fastify({
    ajv: { customOptions: { coerceTypes: false, keywords: [wholeNumber], validateSchema: false } },
  })
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'key-server', version: '0' } } })
  await app.register(config, { config: settings(SETTINGS) })
  for (const plugin of [metrics, health]) await app.register(plugin)
  await app.register(keySpace, { log })
  await app.register(auth, { log })
  await app.register(salt)
  await app.register(overload)
  await app.register(keyGeneration, { log })
  await app.ready()
  const description = app.swagger()
  await app.close()
  return description
}

test('schemathesis finds no call that makes the server fail', { timeout: 300_000 }, async (context) => {
  const program = needs('schemathesis', context)
  const folder = await newFolder()
  const file = join(folder, 'openapi.json')
  await writeFile(file, JSON.stringify(await describeRoutes()))
  const log = new Recorder()
  const { app, origin } = await listen(SETTINGS, { log })
  const flags = ['--url', origin, '--checks', 'not_a_server_error,unsupported_method', '--no-color']
  const { stdout } = await promisify(execFile)(program, ['run', file, ...flags, '--max-examples', '300'], {
    cwd: folder,
  }).catch((error: { stdout?: string }) => ({ stdout: `FAILED ${error.stdout}` }))
  expect(stdout).not.toContain('FAILED')
  expect(stdout).toMatch(/\d+ generated/)
  const counts = await scrape(app)
  expect(counts.get('http_status_codes{code="200",handler="key"}')).toBeGreaterThan(0)
  expect(counts.get('http_status_codes{code="400",handler="key"}')).toBeGreaterThan(0)
  expect(log.text).toBe('')
})
