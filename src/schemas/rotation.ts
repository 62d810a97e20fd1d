import type { Static } from 'typebox'
import * as Type from 'typebox'
import { WholeNumber } from './whole-number.ts'

/** The schema of `GET /rotation`. */
export const rotationSchema = {
  querystring: Type.Object({
    since: Type.Optional(
      WholeNumber('Only the events after the one of this id', 0, Number.MAX_SAFE_INTEGER, 7),
    ),
  }),
}

/** What a validated call has, by Fastify's names. */
export interface RotationRoute {
  Querystring: Static<typeof rotationSchema.querystring>
}
