import * as Type from 'typebox'

/** Bounds of a whole number written in the digits 0-9. */
export interface WholeNumberBounds {
  readonly minimum: number
  readonly maximum: number
}

/**
 * The Ajv keyword of whole numbers in texts. Ajv's own coercion of integers takes `1e2`, `0x10`, `+5` and ` 5`
 * as well, which are no lengths here.
 */
export const wholeNumber = {
  keyword: 'wholeNumber',
  type: 'string',
  schemaType: 'object',
  errors: false,
  validate: ({ minimum, maximum }: WholeNumberBounds, text: string) =>
    /^[0-9]+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum,
} as const

/** A whole number in the digits 0-9. */
export function WholeNumber(description: string, minimum: number, maximum: number, example: number) {
  return Type.String({
    description,
    examples: [String(example)],
    wholeNumber: { minimum, maximum } satisfies WholeNumberBounds,
  })
}
