import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** Flags from the command line; a wrong one ends the process with a sentence and status 2. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(
  options: Options,
  args: string[] = process.argv.slice(2),
) {
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}

/** A whole number from the command line; a wrong one ends the process with a sentence and status 2. */
export function wholeNumber(flag: string, text: string, maximum: number): number {
  if (/^[1-9][0-9]*$/.test(text) && Number(text) <= maximum) return Number(text)
  return refuse(`--${flag} must be a whole number from 1 to ${maximum}, not "${text}"`)
}

/** Ends the process with a sentence about its command line. */
export function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
