import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isAdmin } from '../src/access/admin-token.ts'
import { callerAddress } from '../src/http/caller-address.ts'
import { expectNoBody, noBody } from '../src/http/no-body.ts'
import { rotationReport } from '../src/http/rotation-report.ts'
import { latestEvent } from '../src/key-space/events.ts'
import type { KeySpace } from '../src/key-space/key-space.ts'
import type { Dealer } from '../src/keys/dealer.ts'
import * as problems from '../src/problems/problems.ts'
import { type RotationRoute, rotationSchema } from '../src/schemas/rotation.ts'
import { uniqueLengths } from '../src/settings/unique-lengths.ts'
import { receiverId, urlsIn } from '../src/webhooks/receivers.ts'

/** With `-unique`: `GET /rotation`, and `POST /rotation` for clients with the scope admin, or with `-admin`. */
export default async function rotation(
  app: FastifyInstance,
  { log }: { log: FastifyBaseLogger },
): Promise<void> {
  const { config, dealer } = app
  if (dealer === undefined) return
  const parts = {
    lengths: uniqueLengths(config),
    receivers: urlsIn(config.webhookUrls ?? '').map(receiverId),
  }
  expectNoBody(app)

  const answer = (reply: FastifyReply, space: KeySpace, since: number) =>
    reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('x-content-type-options', 'nosniff')
      .send(JSON.stringify(rotationReport(space, parts, since)))

  app.get<RotationRoute>('/rotation', {
    schema: rotationSchema,
    schemaErrorFormatter: ([error]) =>
      error?.keyword === 'type'
        ? new problems.RepeatedParameter('since')
        : new problems.InvalidSince(latestOf(dealer)),
    handler: ({ query }, reply) => {
      const { space } = dealer.replica
      if (space === undefined) throw new problems.KeyspaceUnavailable()
      const since = Number(query.since ?? 0)
      if (since > latestEvent(space)) throw new problems.InvalidSince(latestEvent(space))
      return answer(reply, space, since)
    },
  })

  const adminsOnly =
    app.auth?.require('admin') ?? (config.admin ? askForToken(`${config.adminTokenFile}`) : undefined)
  if (adminsOnly === undefined) return
  const { byClient } = app.limits
  app.post('/rotation', {
    ...noBody,
    onRequest: [adminsOnly, ...(byClient === undefined ? [] : [byClient]), noBody.onRequest],
    handler: async (request, reply) => {
      const space = await dealer.replica.rotate()
      const asker = { client: request.client?.id, remoteAddress: callerAddress(request) }
      log.info(asker, `Rotation was asked for: period ${space.period.number}`)
      return answer(reply, space, latestEvent(space) - 1)
    },
  })
}

function latestOf({ replica }: Dealer): number {
  return replica.space === undefined ? 0 : latestEvent(replica.space)
}

function askForToken(file: string) {
  return async ({ headers }: FastifyRequest): Promise<void> => {
    if (await isAdmin(headers.authorization, file)) return
    throw Object.assign(new problems.AdminTokenNeeded(), { headers: { 'www-authenticate': 'Bearer' } })
  }
}
