import { LONGEST_UNIQUE } from '../permutation/permutation.ts'
import { MOST_EVENTS, type SpaceEvent } from './events.ts'
import { type Fields, hasFields, isFields, isWhole } from './fields.ts'
import { MOST_GIVEN_UP, MOST_TARGETS, TRIES } from './notices.ts'

/** The fields that only one type of event has, by the type. */
const own: Record<SpaceEvent['type'], (fields: Fields) => boolean> = {
  'rotation.upcoming': (fields) =>
    hasFields(fields, ['days', 'endsAt']) && isWhole(fields.days, 1) && isWhole(fields.endsAt),
  'rotation.completed': ({ reason, ...fields }) =>
    (reason === 'scheduled' || reason === 'requested') &&
    hasFields(fields, 'endsAt' in fields ? ['endsAt'] : []) &&
    isWhole(fields.endsAt ?? 0),
  'keyspace.low': (fields) =>
    hasFields(fields, ['length']) && isWhole(fields.length, 1) && fields.length <= LONGEST_UNIQUE,
}

/** Whether a value is the events of a state, their ids one after the other. */
export function areEvents(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > MOST_EVENTS || !value.every(isEvent)) return false
  return value.every(({ id }, index) => index === 0 || id === value[index - 1].id + 1)
}

function isEvent(value: unknown): boolean {
  if (!isFields(value)) return false
  const { id, at, period, type, ...rest } = value
  if (!isWhole(id, 1) || !isWhole(at) || !isWhole(period, 1)) return false
  return typeof type === 'string' && Object.hasOwn(own, type) && own[type as SpaceEvent['type']](rest)
}

const targetFields = ['done', 'attempt', 'next', 'by', 'until', 'disabled', 'givenUp', 'givenUpCount']

/** Whether a value is the receivers of a state. */
export function areTargets(value: unknown): boolean {
  if (!isFields(value)) return false
  const targets = Object.values(value)
  return targets.length <= MOST_TARGETS && targets.every(isTarget)
}

function isTarget(value: unknown): boolean {
  if (!hasFields(value, targetFields)) return false
  const { done, attempt, next, by, until, disabled, givenUp, givenUpCount } = value
  if (!isWhole(done) || !isWhole(attempt) || attempt > TRIES || !isWhole(next) || !isWhole(until))
    return false
  if (typeof by !== 'string' || typeof disabled !== 'boolean' || !Array.isArray(givenUp)) return false
  return (
    isWhole(givenUpCount, givenUp.length) &&
    givenUp.length <= MOST_GIVEN_UP &&
    givenUp.every((id) => isWhole(id, 1))
  )
}
