import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { listen, newFolder, Recorder, scrape } from '../helper.ts'
import { needs } from '../program.ts'

const SETTINGS = { maxSize: 64, maxBatchBytes: 4096 }

test('schemathesis finds no call that makes the server fail, or answer what its description does not have', {
  timeout: 300_000,
}, async (context) => {
  const program = needs('schemathesis', context)
  const folder = await newFolder()
  const log = new Recorder()
  const { app, origin } = await listen(SETTINGS, { log })
  const flags = [
    '--url',
    origin,
    '--checks',
    'not_a_server_error,unsupported_method,status_code_conformance,content_type_conformance,response_schema_conformance',
    '--no-color',
  ]
  const { stdout } = await promisify(execFile)(
    program,
    ['run', `${origin}/openapi.json`, ...flags, '--max-examples', '300'],
    {
      cwd: folder,
    },
  ).catch((error: { stdout?: string }) => ({ stdout: `FAILED ${error.stdout}` }))
  expect(stdout).not.toContain('FAILED')
  expect(stdout).toMatch(/\d+ generated/)
  const counts = await scrape(app)
  expect(counts.get('http_status_codes{code="200",handler="key"}')).toBeGreaterThan(0)
  expect(counts.get('http_status_codes{code="400",handler="key"}')).toBeGreaterThan(0)
  expect(log.text).toBe('')
})
