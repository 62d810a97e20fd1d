/** The latest time that a Date can hold. */
const LATEST = 8.64e15

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000

/** A time in milliseconds since the epoch as RFC 3339 has it, in UTC and whole seconds: `2026-11-25T03:12:39Z`. */
export function rfc3339(ms: number): string {
  return `${new Date(Math.min(ms, LATEST)).toISOString().slice(0, -5)}Z`
}
