import { hashKey } from './commands/hash-key.ts'
import { rotateStore } from './commands/rotate.ts'
import { selfTest } from './commands/self-test.ts'
import { type Host, serve } from './commands/serve.ts'
import { showStore } from './commands/store-show.ts'
import { createLog, type Output } from './log.ts'
import type { Config } from './schemas/settings.ts'
import { keySpaceProblems, storeProblems } from './settings/key-space.ts'
import { readSettings, SettingsError } from './settings/settings.ts'
import { usage, version } from './settings/usage.ts'

/** The parts of `process` that the program uses. */
export interface Process extends Host {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: Output
  cwd(): string
}

const commands = ['serve', 'self-test', 'store show', 'rotate', 'hash-key']

/** These are about a store, whether or not a server with these settings would deal from it, or start. */
const judges: Record<string, typeof keySpaceProblems> = {
  'store show': storeProblems,
  rotate: keySpaceProblems,
}

/**
 * Runs the program.
 * @returns its exit status: 0 for a good end, 1 for a failure, 2 for a wrong command line or setting.
 */
export async function run(process: Process): Promise<number> {
  const words = process.argv.slice(2)
  const command = takeCommand(words)
  if (!commands.includes(command)) {
    return refuse(process, [`unknown command ${JSON.stringify(command)}: see -help for those there are`])
  }
  if (words.some((word) => /^--?h(elp)?$/.test(word))) {
    process.stdout.write(usage())
    return 0
  }
  if (words.some((word) => /^--?version$/.test(word))) {
    process.stdout.write(`${version}\n`)
    return 0
  }
  if (command === 'hash-key') return hashKey(words, process.stdout, process.stderr)

  let config: Config
  try {
    const sources = { args: words, env: process.env, folder: process.cwd() }
    config = readSettings(sources, judges[command])
  } catch (error) {
    if (error instanceof SettingsError) return refuse(process, error.problems)
    throw error
  }
  if (command === 'self-test') return selfTest(config, process.stdout)
  if (command === 'store show') return showStore(config.store, process.stdout, process.stderr)
  if (command === 'rotate') return rotateStore(config, process.stdout, process.stderr)
  return serve(config, await createLog(process.stdout), process)
}

/** Takes the words of the command away. */
function takeCommand(words: string[]): string {
  const isWord = () => words[0]?.startsWith('-') === false
  const command = isWord() ? words.shift() : 'serve'
  return command === 'store' && isWord() ? `store ${words.shift()}` : `${command}`
}

function refuse({ stderr }: Process, problems: readonly string[]): number {
  for (const problem of problems) stderr.write(`key-server: ${problem}\n`)
  return 2
}
