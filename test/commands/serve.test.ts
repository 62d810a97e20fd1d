import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { serve } from '../../src/commands/serve.ts'
import { createLog } from '../../src/log.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { openStore } from '../../src/stores/open.ts'
import { buildApp, newFolder, Recorder, settings } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { FakeHost, start } from './serving.ts'

vi.setConfig({ testTimeout: 60_000 })

const SECRET = 'the secret of this release, of 32 bytes and more'

/** A file whose state is `text`. */
async function storeWith(text: string): Promise<string> {
  const path = `${await newFolder()}/keys.db`
  const store = await openStore(path)
  await store.swap((await store.read()).version, text)
  await store.close()
  return path
}

describe('with -unique the server ends with a sentence, and starts nothing,', () => {
  const refusal = async (overrides: Partial<Config>) => {
    const host = new FakeHost()
    const config = settings({ srvPort: 0, unique: true, keyspaceSecret: SECRET, ...overrides })
    expect(await serve(config, await createLog(new Recorder()), host)).toBe(1)
    expect(host.stderr.text).not.toContain(SECRET)
    return host.stderr.text
  }

  test.for([
    ['damaged', '{"version":1}', /^key-server: the store's state is damaged \(/],
    ['newer', '{"version":2}', /^key-server: the store's state has version 2, /],
  ] as const)('for a state that is %s, which it leaves as it is', async ([, text, sentence]) => {
    const store = await storeWith(text)
    expect(await refusal({ store })).toMatch(sentence)
    const opened = await openStore(store)
    expect((await opened.read()).state).toBe(text)
    await opened.close()
  })

  test('for a secret other than that of the store', async () => {
    const store = `${await newFolder()}/keys.db`
    await buildApp({ unique: true, store, keyspaceSecret: 'the secret of another release of 32 bytes' })
    expect(await refusal({ store })).toMatch(/^key-server: KEYSPACE_SECRET is not the one /)
  })

  test('for a folder as the store', async () => {
    expect(await refusal({ store: await newFolder() })).toMatch(/^key-server: .+\n$/)
  })
})

describe('the start', () => {
  test('is logged with the real port, where keys are served', async () => {
    const { port, origin, messages } = await start()
    expect(port).toBeGreaterThan(0)
    expect(messages()[0]).toBe(`Starting server on port ${port}...`)
    expect(await (await fetch(`${origin}/key/16`)).text()).toMatch(keyPattern(16))
    expect((await fetch(`${origin}/readyz`)).status).toBe(200)
  })

  test.for([
    [1, 1],
    [15, 1],
    [16, 0],
    [17, 0],
  ] as const)('recommends 16 bytes, where -min-size is %i: %i line', async ([minSize, lines]) => {
    const { messages } = await start({ minSize })
    expect(messages().slice(1)).toEqual(Array(lines).fill(expect.stringMatching(/\b16 bytes\b.*-min-size/)))
  })

  test('listens on all interfaces when no host is given, else on that alone', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ family }) => family === 'IPv4'),
    )
    const everywhere = await start({ host: '' })
    const here = await start({ host: '127.0.0.1' })
    for (const { address, internal } of addresses) {
      expect((await fetch(`http://${address}:${everywhere.port}/livez`)).status).toBe(200)
      if (!internal) await expect(fetch(`http://${address}:${here.port}/livez`)).rejects.toThrow()
    }
  })

  test('fails with status 1 and one clear line where the port is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void holder.close())
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const host = new FakeHost()
    const output = new Recorder()
    const config = settings({ srvPort: port, host: '127.0.0.1' })
    expect(await serve(config, await createLog(output), host)).toBe(1)
    expect(host.stderr.text).toBe(
      `key-server: port ${port} is already in use; give another one with -srv-port\n`,
    )
    expect(output.text).toBe('')
  })

  test('fails with status 1 and one clear line where the address is of another machine', async () => {
    const host = new FakeHost()
    const config = settings({ srvPort: 0, host: '203.0.113.1' })
    expect(await serve(config, await createLog(new Recorder()), host)).toBe(1)
    expect(host.stderr.text).toMatch(/^key-server: cannot listen on 203\.0\.113\.1, port 0: .*\n$/)
  })
})
