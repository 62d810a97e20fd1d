import { type KeyFacts, type KeySource, makeBody } from '../http/key-answer.ts'
import { BASE58_ANSWER_BYTES, BASE58_KEY_BYTES, type KeyCall } from '../http/key-call.ts'
import { rotationReport } from '../http/rotation-report.ts'
import { type KeySpace, leased, newKeySpace } from '../key-space/key-space.ts'
import { rotated, withPolicy } from '../key-space/rotation.ts'
import { DEFAULT_FORMAT, formats } from '../keys/encodings.ts'
import { fillIn, pageFile } from '../page-files.ts'
import { type GuidedProblem, guide, type ProblemName } from '../problems/guide.ts'
import { type Config, RECOMMENDED_SIZE } from '../schemas/settings.ts'
import { uniqueLengths } from '../settings/unique-lengths.ts'
import { rfc3339 } from '../time.ts'

/** By name, as OpenAPI has several. */
type Examples = Readonly<Record<string, { readonly value: unknown }>>

/** When it is in the examples. */
const NOW = Date.UTC(2026, 0, 1)

/** A key call that asks for nothing special. */
const USUAL: KeyCall = {
  length: RECOMMENDED_SIZE,
  format: DEFAULT_FORMAT,
  count: undefined,
  prefix: '',
  checksum: false,
  json: false,
}

/** The body of an answer, whose keys are nobody's: their bytes are the odd numbers in turn. */
function keyBody(call: Partial<KeyCall>, facts: KeyFacts = {}): string {
  let next = -1
  const take: KeySource['take'] = (length, use) =>
    use(Buffer.from(Array.from({ length }, () => (next += 2))), 0, length)
  return makeBody({ ...USUAL, ...call }, { ...facts, take }).toString('latin1')
}

/** One key, and several. */
export function keyTexts(): Examples {
  return { one: { value: keyBody({}) }, several: { value: keyBody({ count: 2 }) } }
}

/** The same as JSON, and a unique one where there are such. */
export function keyDocuments(config: Config): Examples {
  const documentOf = (call: Partial<KeyCall>, facts?: KeyFacts) => ({
    value: JSON.parse(keyBody({ ...call, json: true }, facts)),
  })
  const length = shortLengths(config).at(-1)
  return {
    one: documentOf({}),
    several: documentOf({ count: 2 }),
    ...(length !== undefined && { unique: documentOf({ length }, periodFacts(config)) }),
  }
}

/** A key as bytes, which are characters here. */
export function rawKey(): string {
  return keyBody({ format: 'raw' })
}

/** A key space in its first period. */
function keySpace({ rotateEvery }: Config): KeySpace {
  return withPolicy(newKeySpace('', '', NOW), rotateEvery, NOW)
}

/** Some lengths whose keys are unique. */
function shortLengths(config: Config): number[] {
  return config.unique ? uniqueLengths(config).slice(0, 2) : []
}

function periodFacts(config: Config): KeyFacts {
  const { number, ends } = keySpace(config).period
  return { period: number, expires: ends && rfc3339(ends.at) }
}

/** What `/rotation` says after a period was ended by hand and somebody has asked for a key. */
export function rotation(config: Config): object {
  const space = rotated(keySpace(config), '', NOW)
  const lengths = shortLengths(config)
  const length = lengths.at(-1)
  const used = length && leased(space, { length, id: '', size: 16, demand: 1, least: 1 })
  return rotationReport(used || space, { lengths, receivers: ['receiver'] }, 0)
}

/** The beginning of `/metrics`. */
export const METRICS = `# HELP http_status_codes Counter of HTTP status codes
# TYPE http_status_codes counter
http_status_codes{code="200",handler="key"} 1
`

/** The page of a problem. */
export function problemPage(problem: ProblemName): string {
  return fillIn(pageFile('problem.html'), { ...guide.find(({ name }) => name === problem) })
}

/** What an operation has that sentences name. */
export interface Place {
  /** The methods of its path. */
  readonly allow: string
  /** The scope that an API key needs. */
  readonly scope: string | undefined
}

/** A problem's sentence with values in the places of its dots. */
export function sentenceOf(
  { name, sentence }: GuidedProblem,
  config: Config,
  { allow, scope }: Place,
): string {
  const values: Partial<Record<ProblemName, readonly (string | number)[]>> = {
    UnknownFormat: [formats.join(', ')],
    InvalidCount: [config.maxCount],
    BatchTooLarge: [config.maxBatchBytes],
    RepeatedParameter: ['count'],
    RepeatedHeader: ['x-user-id'],
    Base58TooLarge: [BASE58_KEY_BYTES, BASE58_ANSWER_BYTES],
    InvalidSince: [7],
    Forbidden: [`${scope}`],
    TooManyRequests: [30],
    MethodNotAllowed: [allow],
    KeyspaceExhausted: [2],
    NotReady: ['shutting down'],
  }
  const [first, ...rest] = sentence.split('…')
  return rest.reduce((text, part, index) => `${text}${values[name]?.[index]}${part}`, `${first}`)
}
