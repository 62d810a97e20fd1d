import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { createApp } from '../src/app.ts'
import type { RandomSource } from '../src/keys/entropy.ts'
import type { Output } from '../src/log.ts'
import type { Config } from '../src/schemas/settings.ts'
import { readSettings } from '../src/settings/settings.ts'
import type { Store } from '../src/stores/store.ts'

/** For what comes soon, but on a busy machine not at once. */
export const PATIENCE = { timeout: 30_000 }

/** An empty folder, removed when the test ends. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'key-server-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The default settings with `overrides`. */
export function settings(overrides: Partial<Config> = {}): Config {
  return { ...readSettings({ args: [], env: {}, folder: tmpdir() }), ...overrides }
}

/** An output that remembers what was written to it. */
export class Recorder implements Output {
  text = ''

  write(text: string): void {
    this.text += text
  }
}

interface Parts {
  randomSource?: RandomSource
  log?: Output
  store?: Store
  apiKeys?: string
}

/** An app with `overrides` of the default settings, closed when the test ends. */
export async function buildApp(overrides: Partial<Config> = {}, parts: Parts = {}): Promise<FastifyInstance> {
  const { log = new Recorder(), ...others } = parts
  const app = await createApp(settings(overrides), { log: pino<never>({}, log), ...others })
  onTestFinished(() => app.close())
  return app
}

/** Such an app listening on a free port of the loopback. */
export async function listen(
  overrides: Partial<Config> = {},
  parts: Parts = {},
): Promise<{ app: FastifyInstance; port: number; origin: string }> {
  const app = await buildApp(overrides, parts)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, origin, port: Number(new URL(origin).port) }
}

/** The samples of `/metrics` by name and labels, as in `http_status_codes{code="200",handler="key"}`. */
export async function scrape(app: FastifyInstance): Promise<Map<string, number>> {
  const { body } = await app.inject('/metrics')
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}
