import { faultOf } from './call.js'
import { find, write } from './elements.js'
import { bytesOf } from './odds.js'

/**
 * @typedef {{ policy: { rotateEveryDays: number }, period: number, startedAt: string, endsAt: string | null,
 * fenced: boolean, lengths: { length: number, left: number }[] }} Rotation
 */

/**
 * Shows in which period the server is, and how many unique keys of a length are left in it.
 * @param {number} length
 */
export async function showRotation(length) {
  const headers = { accept: 'application/json' }
  const answer = await fetch(new URL('rotation', document.baseURI), { cache: 'no-store', headers }).catch(
    () => undefined,
  )
  if (!answer?.ok) {
    const fault =
      answer === undefined ? { detail: 'The server could not be reached.' } : await faultOf(answer)
    return write('rotation-error', fault.detail)
  }
  /** @type {Rotation} */
  const rotation = await answer.json()
  const { policy, period, startedAt, endsAt, fenced } = rotation
  const left = rotation.lengths.find((each) => each.length === length)?.left
  const rows = [
    ['Period', `${period}, since ${written(startedAt)}`],
    [
      'Ends',
      endsAt === null
        ? 'when somebody rotates it'
        : `${written(endsAt)}, every ${policy.rotateEveryDays} days`,
    ],
    ...(left === undefined ? [] : [[`Left of ${bytesOf(length)}`, left.toLocaleString('en')]]),
  ]
  find('periods', HTMLElement).replaceChildren(...rows.map(([term = '', text = '']) => row(term, text)))
  write(
    'rotation-error',
    fenced ? 'The store has lost what it knew: none of these keys before a rotation.' : '',
  )
}

/** @param {string} term @param {string} text */
function row(term, text) {
  const pair = document.createElement('div')
  const [name, description] = [document.createElement('dt'), document.createElement('dd')]
  name.textContent = term
  description.textContent = text
  pair.append(name, description)
  return pair
}

/** A time in UTC, as the server's other answers have it: `2026-11-25 06:12 UTC`. @param {string} time */
function written(time) {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}
