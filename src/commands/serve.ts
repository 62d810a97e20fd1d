import type { AddressInfo } from 'node:net'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { createApp } from '../app.ts'
import type { Output } from '../log.ts'
import type { Config } from '../schemas/settings.ts'

/** Ctrl-C reaches a server under npm twice: from the terminal, and at once again from npm. */
const SIGINT_ECHO_MS = 200

/** Keys shorter than this repeat by chance too soon to be relied on, says the original. */
const RECOMMENDED_SIZE = 16

/** What serving needs of the process it runs in. */
export interface Host {
  readonly stderr: Output
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown
}

/**
 * Serves until a signal stops it.
 * @returns the exit status: 0 after a clean stop; 1 when it can't listen, or when requests outlast the shutdown
 * timeout; 128 and the signal's number after a second signal.
 */
export async function serve(config: Config, log: FastifyBaseLogger, host: Host): Promise<number> {
  const app = await createApp(config, { log })
  const stopped = stopOnSignal(app, log, host)
  try {
    await app.listen({ port: config.srvPort, host: config.host })
  } catch (error) {
    host.stderr.write(`key-server: ${listenFailure(error as NodeJS.ErrnoException, config)}\n`)
    return 1
  }
  log.info(`Starting server on port ${(app.server.address() as AddressInfo).port}...`)
  if (config.minSize < RECOMMENDED_SIZE) {
    log.info(
      `Keys of fewer than ${RECOMMENDED_SIZE} bytes can repeat by chance; -min-size ${RECOMMENDED_SIZE} refuses them`,
    )
  }
  return stopped
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
  let stoppedAt: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    host.on(signal, () => {
      if (stoppedAt === undefined) {
        stoppedAt = performance.now()
        stop(app, log).then(resolve, reject)
      } else if (signal === 'SIGTERM' || performance.now() - stoppedAt > SIGINT_ECHO_MS) {
        resolve(128 + constants.signals[signal])
      }
    })
  }
  return promise
}

async function stop(app: FastifyInstance, log: FastifyBaseLogger): Promise<number> {
  const { drainTime, shutdownTimeout } = app.config
  log.info(`Stopping: unready now, closing in ${drainTime} s`)
  app.health.drain()
  await sleep(drainTime * 1000)
  const closed = app.close().then(() => 'closed')
  const outcome = await Promise.race([
    closed,
    sleep((shutdownTimeout - drainTime) * 1000, 'late', { ref: false }),
  ])
  if (outcome === 'closed') return 0
  log.warn(`Requests were still open ${shutdownTimeout} s after the signal; they are cut off`)
  return 1
}
