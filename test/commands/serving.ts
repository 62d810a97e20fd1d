import { EventEmitter } from 'node:events'
import { expect, onTestFinished, vi } from 'vitest'
import { type Host, serve } from '../../src/commands/serve.ts'
import { createLog } from '../../src/log.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { PATIENCE, Recorder, settings } from '../helper.ts'

export class FakeHost extends EventEmitter implements Host {
  readonly stderr = new Recorder()
}

interface Server {
  readonly port: number
  readonly origin: string
  readonly status: Promise<number>
  messages(): string[]
  signal(name: 'SIGTERM' | 'SIGINT'): void
}

export async function start(overrides: Partial<Config> = {}): Promise<Server> {
  const host = new FakeHost()
  const output = new Recorder()
  const config = settings({ srvPort: 0, host: '127.0.0.1', drainTime: 0, shutdownTimeout: 300, ...overrides })
  const status = serve(config, await createLog(output), host)
  const messages = () =>
    output.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
  const port = await vi.waitFor(() => {
    expect(messages()).toContainEqual(expect.stringMatching(/^Starting server on port \d+\.\.\.$/))
    return Number(/on port (\d+)/.exec(output.text)?.[1])
  }, PATIENCE)
  onTestFinished(async () => {
    host.emit('SIGTERM')
    await status
  })
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    status,
    messages,
    signal: (name) => host.emit(name),
  }
}
