import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { documentPath } from '../scripts/docs.ts'
import { signatureHeaders } from '../src/webhooks/signature.ts'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

test('the receiver in docs/how-to/rotation.md takes what is signed, once, and nothing else', async () => {
  const text = readFileSync(documentPath('docs/how-to/rotation.md'), 'utf8')
  const [, code = ''] = /```js\n(.*?)```/s.exec(text) ?? []
  expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
  const listening = code.replace(
    'listen(8080)',
    "listen(0, '127.0.0.1', function () { console.log(this.address().port) })",
  )
  const receiver = spawn(process.execPath, ['--input-type=module', '-e', listening], {
    env: { ...process.env, WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void receiver.kill())
  let output = ''
  receiver.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  await once(receiver.stdout, 'data')
  const url = `http://127.0.0.1:${output.trim()}`

  const body = JSON.stringify({ type: 'keyspace.low', timestamp: '', data: { period: 1, length: 2 } })
  const headers = signatureHeaders('msg_1', Math.floor(Date.now() / 1000), body, [SECRET])
  const post = async (text: string) => (await fetch(url, { method: 'POST', headers, body: text })).status
  expect(await post(body)).toBe(204)
  expect(await post(body)).toBe(204)
  expect(await post(`${body} `)).toBe(400)
  receiver.kill()
  await once(receiver.stdout, 'close')
  expect(output.match(/keyspace\.low/g)).toHaveLength(1)
})
