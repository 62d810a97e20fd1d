import { findLease, type KeySpace, leased, newKeySpace } from '../../src/key-space/key-space.ts'

/** Of the size of a sealed seed. */
export const SEALED = Buffer.alloc(60).toString('base64')

export const first = newKeySpace('store', SEALED, 1000)
let ids = 0

export function lease(
  space: KeySpace,
  wish: { length?: number; size?: number; demand?: number; least?: number } = {},
) {
  const id = `lease-${ids++}`
  const next = leased(space, { length: 2, size: 16, demand: 0, least: 1, id, ...wish })
  const found = next && findLease(next, wish.length ?? 2, id)
  if (next === undefined || found === undefined) throw new Error('no lease')
  return { space: next, id, first: found[1], count: found[2] }
}
