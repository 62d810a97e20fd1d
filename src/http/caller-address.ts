import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/**
 * Where a call comes from. A trusted proxy may name no address, or one with a port, which changes: then it is the
 * proxy's own. Undefined for a client that is gone before its request is looked at.
 */
export function callerAddress({ ip, socket }: FastifyRequest): string | undefined {
  return isIP(ip) === 0 ? socket.remoteAddress : ip
}
