import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import type { TestContext } from 'vitest'
import { freePort } from '../../bench/lib/free-port.ts'
import { loopbackCertificate } from '../certificate.ts'
import { needs } from '../program.ts'

/** What the server's default user must say, and no log may hold. */
export const PASSWORD = 'hunter2'

/** A real Redis server of its own, on a free port of the loopback and with nothing on disk but its certificate. */
export class RedisServer {
  readonly port: number
  readonly #program: string
  readonly #tls: boolean
  readonly folder: string
  #child: ChildProcess | undefined

  private constructor(program: string, port: number, folder: string, tls: boolean) {
    this.#program = program
    this.port = port
    this.folder = folder
    this.#tls = tls
  }

  static async start(context: TestContext, { tls = false } = {}): Promise<RedisServer> {
    const program = needs('redis-server', context)
    const folder = await mkdtemp(join(tmpdir(), 'key-server-redis-'))
    context.onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const { cert, key } = await loopbackCertificate()
    await writeFile(join(folder, 'cert.pem'), cert)
    await writeFile(join(folder, 'key.pem'), key)
    const server = new RedisServer(program, await freePort(), folder, tls)
    await server.start()
    context.onTestFinished(() => server.stop())
    return server
  }

  get url(): string {
    return `redis${this.#tls ? 's' : ''}://:${PASSWORD}@127.0.0.1:${this.port}/1`
  }

  async start(): Promise<void> {
    const { port, folder } = this
    const pem = (name: string) => join(folder, `${name}.pem`)
    const tls = ['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no']
    const files = [
      '--tls-cert-file',
      pem('cert'),
      '--tls-key-file',
      pem('key'),
      '--tls-ca-cert-file',
      pem('cert'),
    ]
    const child = spawn(
      this.#program,
      [
        ...(this.#tls ? [...tls, ...files] : ['--port', `${port}`]),
        ...['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--requirepass', PASSWORD],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    this.#child = child
    for await (const line of createInterface(child.stdout)) {
      if (line.includes('Ready to accept connections')) break
    }
    child.stdout.resume()
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  }

  /** Makes it the replica of nobody in reach, which answers PING and takes no writes, or lets it take them. */
  async readOnly(on: boolean): Promise<void> {
    const client = new Redis(this.url)
    await client.call('REPLICAOF', ...(on ? ['127.0.0.1', '1'] : ['NO', 'ONE']))
    client.disconnect()
  }

  /** Holds it as it is, so that it takes connections and answers nothing, or lets it go on. */
  hold(held: boolean): void {
    this.#child?.kill(held ? 'SIGSTOP' : 'SIGCONT')
  }
}
