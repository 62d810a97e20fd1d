/** What a JSON object may hold. */
export type Fields = Record<string, unknown>

/** Whether a value is a whole number that a double holds exactly, from `least` up. */
export function isWhole(value: unknown, least = 0): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least
}

/** Whether a value is a JSON object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a JSON object with just those fields. */
export function hasFields(value: unknown, names: readonly string[]): value is Fields {
  return isFields(value) && Object.keys(value).length === names.length && names.every((name) => name in value)
}
