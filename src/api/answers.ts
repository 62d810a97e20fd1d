import { type GuidedProblem, guide, type ProblemName } from '../problems/guide.ts'
import type { Config } from '../schemas/settings.ts'
import { type Answer, noStore, type Operation, type Schema, when } from './operations.ts'

/** Problems that every route answers with. */
const EVERYWHERE: readonly ProblemName[] = [
  'MissingHost',
  'MalformedRequest',
  'RequestTimeout',
  'HeadersTooLarge',
  'InternalError',
]

/**
 * What @fastify/swagger makes the answers and the security of an operation from. `allowed`: the methods of its path, where
 * the operation is the one to say what others get.
 */
export function answersTo(operation: Operation, config: Config, allowed: readonly string[]) {
  const { success, problems, guarded, clientsUnlimited = false, bodiless = false } = operation
  const isGuarded = guarded?.(config) === true
  const auth = isGuarded && config.apiKeysFile !== ''
  const byClient = auth && !clientsUnlimited && config.rateLimitClient > 0
  const limited = byClient || (isGuarded && config.rateLimitAddress > 0)
  const names = [
    ...EVERYWHERE,
    ...problems(config),
    ...when(auth, 'Unauthorized', 'Forbidden'),
    ...when(limited, 'TooManyRequests'),
    ...when(allowed.length > 0, 'MethodNotAllowed'),
  ]
  const token = names.includes('AdminTokenNeeded')
  const found = guide.filter(({ name }) => names.includes(name))
  const byStatus = Object.entries(Object.groupBy(found, ({ status }) => status))
  const refusals = byStatus.map(
    ([status, all = []]) => [status, refusal(all, bodiless, allowed.join(', '))] as const,
  )
  return {
    response: { 200: { ...(bodiless && noBody), ...success(config) }, ...Object.fromEntries(refusals) },
    security: auth ? [{ apiKey: [] }] : token ? [{ adminToken: [] }] : [],
  }
}

/** How the generator is told that there is no content. */
const noBody = { type: 'null' }

const seconds = (description: string): Schema => ({ type: 'integer', minimum: 0, description })

const HEADERS: Readonly<Record<number, Readonly<Record<string, Schema>>>> = {
  401: { 'WWW-Authenticate': { type: 'string', description: 'The scheme that is asked for' } },
  403: { 'WWW-Authenticate': { type: 'string', description: 'The scheme, and what the credential lacks' } },
  409: { 'Retry-After': seconds('Seconds until the next period, where one is due') },
  429: { 'Retry-After': seconds('Seconds until the window ends') },
  503: { 'Retry-After': seconds('Seconds to wait before the next try') },
}

const allowHeader = (allow: string): Schema => ({
  type: 'string',
  const: allow,
  description: 'The methods of this path',
})

function refusal(all: readonly GuidedProblem[], bodiless: boolean, allow: string): Answer {
  const [{ status, sentence } = { status: 0, sentence: '' }] = all
  const titles = all.map(({ title }) => title).join('; ')
  const isOfOthers = status === 405
  const description = isOfOthers ? `${titles}: what any method but ${allow} gets` : titles
  const headers = { ...noStore, ...HEADERS[status], ...(isOfOthers && { Allow: allowHeader(allow) }) }
  if (bodiless) return { ...noBody, description, headers }
  const examples = all.map(({ name, type, title, sentence, means }) => [
    name,
    { summary: title, description: means, value: { type, title, status, detail: sentence } },
  ])
  return {
    description,
    headers,
    content: {
      'text/plain': { schema: { type: 'string' }, example: `${sentence}\n` },
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { properties: { type: { enum: all.map(({ type }) => type) }, status: { const: status } } },
          ],
        },
        examples: Object.fromEntries(examples),
      },
    },
  }
}
