import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test, vi } from 'vitest'
import { buildApp, newFolder, PATIENCE, Recorder, scrape } from '../helper.ts'
import { bearer, type Entry, FILE, good, revoked, unique } from './guarded-app.ts'

describe('the file', { timeout: 60_000 }, () => {
  const status = async (app: FastifyInstance, secret: string) =>
    (await app.inject({ url: '/key/16', headers: bearer(secret) })).statusCode

  test('is taken up again when it changes, and kept when it breaks', async () => {
    const path = join(await newFolder(), 'keys.json')
    const write = (...keys: { entry: Entry }[]) =>
      writeFile(path, JSON.stringify({ keys: keys.map(({ entry }) => entry) }))
    const healthy = async (app: FastifyInstance) => (await scrape(app)).get('api_keys_file_healthy')
    await write(good, revoked)
    const log = new Recorder()
    const app = await buildApp({ apiKeysFile: path }, { log })
    expect([await status(app, good.secret), await status(app, revoked.secret)]).toEqual([200, 200])

    await write(good, unique)
    await vi.waitFor(async () => expect(await status(app, unique.secret)).toBe(200), PATIENCE)
    expect([await status(app, good.secret), await status(app, revoked.secret)]).toEqual([200, 401])

    await writeFile(path, FILE.slice(0, -5))
    await vi.waitFor(async () => expect(await healthy(app)).toBe(0), PATIENCE)
    expect(log.text).toContain("The file of API keys can't be used")
    expect([await status(app, good.secret), await status(app, revoked.secret)]).toEqual([200, 401])

    await write(revoked)
    await vi.waitFor(async () => expect(await healthy(app)).toBe(1), PATIENCE)
    expect([await status(app, good.secret), await status(app, revoked.secret)]).toEqual([401, 200])
    expect((await scrape(app)).get('api_keys')).toBe(1)
  })
})
