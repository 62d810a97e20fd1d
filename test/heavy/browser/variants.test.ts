import { writeFile } from 'node:fs/promises'
import { request as ask, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hashKey } from '../../../src/commands/hash-key.ts'
import { newFolder, Recorder } from '../../helper.ts'
import { keyPattern } from '../../key-form.ts'
import { expectAccessible, make, origin, soon, visit } from './visit.ts'

/** A proxy below whose path a server is. */
async function proxyOf(target: string, prefix: string): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming
    if (!url.startsWith(prefix)) return void outgoing.writeHead(404).end()
    const asked = ask(new URL(url.slice(prefix.length), target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(asked)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close().closeAllConnections())
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`
}

test('each link leads somewhere', async (context) => {
  const { page, faults } = await visit(context, await origin())
  const links = await page
    .getByRole('link')
    .evaluateAll((all) => all.map((link) => link.getAttribute('href')))
  expect(links).toEqual(['docs', 'openapi.json', 'metrics', 'readyz'])
  for (const link of links) {
    expect((await page.request.get(new URL(`${link}`, page.url()).href)).status()).toBe(200)
  }
  expect(faults).toEqual([])
})

test('behind a path of a proxy all is as it is', async (context) => {
  const address = await proxyOf(await origin(), '/some/keys/')
  const { page, faults, calls } = await visit(context, address)
  await make(page)
  await soon(() => page.locator('#keys').textContent()).toMatch(keyPattern(16))
  expect(calls).toEqual(['POST /some/keys/key/16'])
  expect(await page.locator('#curl').textContent()).toBe(`curl -fsS -X POST '${address}key/16'`)
  await page.getByLabel('Length in bytes').fill('0')
  await make(page)
  const meaning = page.getByRole('link', { name: 'What this means' })
  await soon(() => meaning.getAttribute('href')).toBe('./problems/invalid-key-length')
  expect(faults).toEqual([])
})

test('with unique keys it says what is left and until when', async (context) => {
  const store = join(await newFolder(), 'keys.db')
  const address = await origin(['-unique', '-rotate-every', '30', '-store', store, '-max-count', '5'])
  const { page, faults } = await visit(context, address)
  const periods = page.locator('#periods')
  await soon(() => periods.textContent()).toMatch(
    /Period1, since \d{4}-\d\d-\d\d \d\d:\d\d UTCEnds.*every 30 days/,
  )
  await page.getByLabel('Length in bytes').fill('2')
  expect(await page.locator('#plot-text').textContent()).toContain('2 bytes: never within a period')
  expect(await page.locator('path.chosen').count()).toBe(0)
  await make(page)
  await soon(() => page.locator('#facts').textContent()).toMatch(
    /16 bits of entropy\. Unique in period 1 until 2/,
  )
  await soon(() => periods.textContent()).toMatch(/Left of 2 bytes65,\d{3}/)
  await expectAccessible(page)
  expect(faults).toEqual([])
})

test('keys that are used up are spoken of', async (context) => {
  const store = join(await newFolder(), 'keys.db')
  const { page } = await visit(context, await origin(['-unique', '-store', store]))
  await page.getByLabel('Length in bytes').fill('1')
  await page.getByLabel('Number of keys').fill('257')
  await make(page)
  await soon(() => page.getByRole('alert').textContent()).toMatch(/^Used up: fewer unique keys/)
  await soon(() => page.locator('#periods').textContent()).toMatch(/Endswhen somebody rotates it/)
})

test('with auth it asks for an API key, which it keeps to itself', async (context) => {
  const output = new Recorder()
  expect(hashKey(['browser'], output, new Recorder())).toBe(0)
  const [apiKey = '', entry] = output.text.split('\n')
  const file = join(await newFolder(), 'keys.json')
  await writeFile(file, `{"keys":[${entry}]}`, { mode: 0o600 })
  const { page, faults, calls } = await visit(context, await origin(['-api-keys-file', file]))
  await make(page)
  await soon(() => page.getByRole('alert').textContent()).toMatch(/^A valid API key is needed/)
  const field = page.getByLabel('Your API key')
  expect(await page.locator(':focus').getAttribute('id')).toBe('api-key')
  expect([await field.getAttribute('type'), await field.getAttribute('autocomplete')]).toEqual([
    'password',
    'off',
  ])
  await expectAccessible(page)
  await field.fill('schlüssel')
  await make(page)
  await soon(() => page.getByRole('alert').textContent()).toMatch(
    /^An API key is ks_ and 70 letters and digits, .* in it\. What this means$/,
  )
  await field.fill(apiKey)
  await make(page)
  await soon(() => page.locator('#keys').textContent()).toMatch(keyPattern(16))
  expect(await page.locator('#curl').textContent()).toMatch(
    /^printf 'Authorization: Bearer %s' "\$API_KEY" \| curl -fsS -X POST -H @- '/,
  )
  expect([page.url(), ...calls].join()).not.toContain(apiKey)
  expect(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([
    0,
    0,
    '',
  ])
  await page.evaluate("dispatchEvent(new Event('pagehide'))")
  expect(await field.inputValue()).toBe('')
  expect(faults).toEqual([])
})
