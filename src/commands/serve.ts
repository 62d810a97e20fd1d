import { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { constants } from 'node:os'
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { BadApiKeyFile } from '../access/api-key-file.ts'
import { UnusableFile } from '../access/watched-files.ts'
import { createApp } from '../app.ts'
import { UnreadableKeySpace } from '../key-space/key-space-text.ts'
import { WrongSecret } from '../key-space/seal.ts'
import type { Output } from '../log.ts'
import { type Config, RECOMMENDED_SIZE } from '../schemas/settings.ts'
import { StoreError } from '../stores/store.ts'

/** A signal to the process group, such as Ctrl-C, reaches a server under npm twice: npm passes its own on. */
const ECHO_MS = 200

/** How often connections are looked at while the server closes. */
const CLOSE_POLL_MS = 50

/** What serving needs of the process it runs in. */
export interface Host {
  readonly stderr: Output
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
}

/**
 * Serves until a signal stops it.
 * @returns the exit status: 0 after a clean stop; 1 when it can't listen, when an operator must mend
 * the store of unique keys, or when requests outlast the shutdown
 * timeout; 128 and the signal's number after a second signal.
 */
export async function serve(config: Config, log: FastifyBaseLogger, host: Host): Promise<number> {
  const app = await createApp(config, { log }).catch(ifUnusable)
  if (typeof app === 'string') {
    host.stderr.write(`key-server: ${app}\n`)
    return 1
  }
  const stopped = stopOnSignal(app, log, host)
  try {
    await app.listen({ port: config.srvPort, host: config.host })
  } catch (error) {
    host.stderr.write(`key-server: ${listenFailure(error as NodeJS.ErrnoException, config)}\n`)
    return 1
  }
  log.info(`Starting server on port ${(app.server.address() as AddressInfo).port}...`)
  if (config.minSize < RECOMMENDED_SIZE && !config.unique) {
    log.info(
      `Keys of fewer than ${RECOMMENDED_SIZE} bytes can repeat by chance; -min-size ${RECOMMENDED_SIZE} refuses them`,
    )
  }
  return stopped
}

/** What is wrong with the store of unique keys or a file, in a sentence for who must mend it; any other error is a defect. */
function ifUnusable(error: unknown): string {
  const kinds = [StoreError, UnreadableKeySpace, WrongSecret, UnusableFile, BadApiKeyFile]
  if (error instanceof Error && kinds.some((kind) => error instanceof kind)) return error.message
  throw error
}

function listenFailure(error: NodeJS.ErrnoException, { srvPort, host }: Config): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${srvPort} is already in use; give another one with -srv-port`
    case 'EACCES':
      return `port ${srvPort} may not be used by this user; give one from 1024 up with -srv-port`
    default:
      return `cannot listen on ${host || 'all interfaces'}, port ${srvPort}: ${error.message}`
  }
}

function stopOnSignal(app: FastifyInstance, log: FastifyBaseLogger, host: Host): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const sockets = trackSockets(app.server)
  let stoppedAt: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    host.on(signal, () => {
      if (stoppedAt === undefined) {
        stoppedAt = performance.now()
        log.info(`${signal}: unready now, closing in ${app.config.drainTime} s`)
        stop(app, log, sockets).then(resolve, reject)
      } else if (performance.now() - stoppedAt > ECHO_MS) {
        log.warn(`${signal} while stopping: ending now`)
        resolve(128 + constants.signals[signal])
      }
    })
  }
  return promise
}

async function stop(app: FastifyInstance, log: FastifyBaseLogger, sockets: Set<Socket>): Promise<number> {
  const { drainTime, shutdownTimeout } = app.config
  app.health.drain()
  await sleep(drainTime * 1000)
  const deadline = sleep((shutdownTimeout - drainTime) * 1000, 'late', { ref: false })
  if ((await Promise.race([close(app, sockets), deadline])) === 'late') {
    log.warn(`${sockets.size} connections still open ${shutdownTimeout} s after the signal are cut off`)
    return 1
  }
  log.info('Stopped')
  return 0
}

/**
 * Closes the app once every answer is sent. Node's own close cuts connections that it takes for idle: those
 * whose last answer is not flushed yet, and those whose first request it has not read yet.
 */
async function close(app: FastifyInstance, sockets: Set<Socket>): Promise<void> {
  app.server.closeIdleConnections = () => undefined
  const closed = app.close()
  while (sockets.size > 0) {
    await sleep(CLOSE_POLL_MS)
    // What has arrived by now is read before the loop gets here, even if it was held up.
    await immediate()
    if ([...sockets].every(({ writableLength }) => writableLength === 0)) {
      Server.prototype.closeIdleConnections.call(app.server)
    }
  }
  await closed
}

function trackSockets(server: Server): Set<Socket> {
  const sockets = new Set<Socket>()
  // With TLS what is still to be sent is seen on the second kind alone.
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
  }
  return sockets
}
