import { type FastifyBaseLogger, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { LogValve } from './access/log-valve.ts'
import { callerAddress } from './http/caller-address.ts'
import { pathOf } from './http/key-path.ts'

/**
 * Two lines a request, with what a log may hold: no header and no query, where clients put secrets, and no
 * character that a terminal would obey.
 */
class RequestLog extends LogController {
  override incomingRequest(request: FastifyRequest): void {
    const { log, method, url } = request
    log.info({ method, path: loggedPath(url), remoteAddress: callerAddress(request) }, 'incoming request')
  }

  override requestCompleted(error: Error | null, request: FastifyRequest, reply: FastifyReply): void {
    const { statusCode } = reply
    const milliseconds = Math.round(reply.elapsedTime * 1000) / 1000
    request.log.info({ statusCode, milliseconds, err: error ?? undefined }, 'request completed')
  }
}

/** Writes nothing for a request without a logger, which is every request unless `-log-requests` is given. */
export const requestLog = new RequestLog()

/** Writes a line for a call that was refused, with who called what and why not, and at most ten of them a second. */
export function refusalLog(log: FastifyBaseLogger, message: string) {
  const valve = new LogValve()
  return (request: FastifyRequest, why: Readonly<Record<string, string>>): void =>
    valve.pass((held) => {
      const { client, method, url } = request
      const remoteAddress = callerAddress(request)
      const call = { client: client?.id, remoteAddress, method, path: loggedPath(url) }
      log.warn({ ...why, ...call, held: held || undefined }, message)
    })
}

/** The path of a request target alone, fit for a log: what is not printable ASCII is escaped. */
export function loggedPath(target: string): string {
  return pathOf(target).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
