import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import envSchema from 'env-schema'
import type { TObject } from 'typebox'
import * as Type from 'typebox'
import { type Config, Settings } from '../schemas/settings.ts'
import { accessProblems } from './access.ts'
import { keySpaceProblems } from './key-space.ts'
import { rotationProblems } from './rotation.ts'
import { saltProblems } from './salt.ts'

/** Thrown for settings that can't be served with; `problems` has one sentence for each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Where settings come from: flag > environment > `.env` > default. */
export interface SettingsSources {
  /** The command line without the program and its sub-command. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder whose `.env` is read, if it has one. */
  readonly folder: string
}

/** What a schema says of one setting. */
export interface Setting {
  readonly type: 'integer' | 'boolean' | 'string'
  readonly description: string
  readonly default?: number | boolean | string
  readonly minimum?: number
  readonly maximum?: number
  /** Never printed; may also be read from the file that `<VARIABLE>_FILE` names. */
  readonly secret?: boolean
}

type Texts = Record<string, string | undefined>

/** The settings of a schema, in its order. */
export function settingsOf(schema: TObject): [name: string, setting: Setting][] {
  return Object.entries(schema.properties as unknown as Record<string, Setting>)
}

/** A setting's flag without the dash: `maxSize` → `max-size`. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** A setting's environment variable: `maxSize` → `MAX_SIZE`. */
export function variableOf(name: string): string {
  return flagOf(name).replaceAll('-', '_').toUpperCase()
}

/**
 * Reads the settings and checks each by itself, and all by `judge`, which says what is wrong besides what was `found`.
 * @throws {SettingsError} naming every problem at once.
 */
export function readSettings(
  sources: SettingsSources,
  judge: (config: Config, found: readonly string[]) => string[] = problemsOfServing,
): Config {
  const { values, problems } = collectSettings(Settings, sources)
  const config = values as Config
  problems.push(...judge(config, problems))
  if (problems.length > 0) throw new SettingsError(problems)
  return config
}

function problemsOfServing(config: Config, found: readonly string[]): string[] {
  const { unique, minSize, maxSize, maxBatchBytes, drainTime, shutdownTimeout } = config
  const problems: string[] = []
  // A value with a problem of its own is undefined here, which makes its comparison false.
  if (minSize > maxSize) problems.push(`-min-size (${minSize}) must not be more than -max-size (${maxSize})`)
  if (maxBatchBytes < maxSize) {
    problems.push(`-max-batch-bytes (${maxBatchBytes}) must not be less than -max-size (${maxSize})`)
  }
  if (drainTime >= shutdownTimeout) {
    problems.push(`-drain-time (${drainTime}) must be less than -shutdown-timeout (${shutdownTimeout})`)
  }
  problems.push(...accessProblems(config))
  // Without -unique these mean nothing, and a STORE in the environment may be somebody else's.
  if (unique) problems.push(...keySpaceProblems(config, found))
  return [...problems, ...rotationProblems(config), ...saltProblems(config)]
}

/** Reads each setting of `schema` by itself; one with a problem is left undefined. */
export function collectSettings(
  schema: TObject,
  { args, env, folder }: SettingsSources,
): { values: Record<string, unknown>; problems: string[] } {
  const settings = settingsOf(schema)
  const { flags, problems } = readFlags(settings, args)
  const texts = mergeTexts(settings, [{ ...env }, flags], folder, problems)
  const values: Record<string, unknown> = {}
  for (const [name, setting] of settings) {
    const text = setting.secret ? readSecret(name, texts, problems) : texts[variableOf(name)]
    values[name] = text === undefined ? setting.default : parseValue(setting, text)
    if (text === undefined || values[name] !== undefined) continue
    const given = setting.secret ? '' : `, not ${JSON.stringify(text)}`
    problems.push(`-${flagOf(name)} (${variableOf(name)}) must be ${expectation(setting)}${given}`)
  }
  return { values, problems }
}

function readFlags(
  settings: [string, Setting][],
  args: readonly string[],
): { flags: Texts; problems: string[] } {
  const byFlag = new Map(settings.map(([name, setting]) => [flagOf(name), { name, setting }]))
  const flags: Texts = {}
  const problems: string[] = []
  const { tokens } = parseArgs({
    // Go's flags take one dash or two; parseArgs would read one dash as a group of letters.
    args: args.map((arg) => arg.replace(/^-(?=[a-z])/i, '--')),
    options: Object.fromEntries(
      [...byFlag].map(([flag, { setting }]) => [
        flag,
        { type: setting.type === 'boolean' ? 'boolean' : 'string' },
      ]),
    ),
    strict: false,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`unexpected argument ${JSON.stringify(args[token.index])}`)
    if (token.kind !== 'option') continue
    const known = byFlag.get(token.name)
    const value = token.inlineValue === false ? args[token.index + 1] : token.value
    const text = value ?? (known?.setting.type === 'boolean' ? 'true' : undefined)
    if (!known)
      problems.push(`unknown flag ${JSON.stringify(`-${token.name}`)}: see -help for those there are`)
    else if (text === undefined) problems.push(`-${token.name} needs a value`)
    else flags[variableOf(known.name)] = text
  }
  return { flags, problems }
}

function mergeTexts(
  settings: [string, Setting][],
  data: [Texts, Texts],
  folder: string,
  problems: string[],
): Texts {
  const variables = settings.flatMap(([name, { secret }]) =>
    secret ? [variableOf(name), `${variableOf(name)}_FILE`] : [variableOf(name)],
  )
  const schema = Type.Object(
    Object.fromEntries(variables.map((variable) => [variable, Type.Optional(Type.String())])),
  )
  const path = resolve(folder, '.env')
  try {
    // A pipe or a device might never end.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new Error('it is not a file')
    return envSchema<Texts>({ schema, data, env: false, dotenv: { path } })
  } catch (error) {
    problems.push(`cannot read .env: ${(error as Error).message}`)
    return envSchema<Texts>({ schema, data, env: false })
  }
}

function readSecret(name: string, texts: Texts, problems: string[]): string | undefined {
  const variable = variableOf(name)
  const file = texts[`${variable}_FILE`]
  if (file === undefined) return texts[variable]
  if (texts[variable] !== undefined) {
    problems.push(`${variable} and ${variable}_FILE are both given: one of them must go`)
    return undefined
  }
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    problems.push(`cannot read the file that ${variable}_FILE names: ${(error as Error).message}`)
    return undefined
  }
}

function parseValue(setting: Setting, text: string): number | boolean | string | undefined {
  if (setting.type === 'string') return text
  if (setting.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = setting
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  return value >= minimum && value <= maximum ? value : undefined
}

function expectation({ type, minimum, maximum }: Setting): string {
  if (type === 'boolean') return 'true or false'
  return `a whole number from ${minimum} to ${maximum}`
}
