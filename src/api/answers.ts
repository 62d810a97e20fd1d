import { type GuidedProblem, guide, type ProblemName } from '../problems/guide.ts'
import type { Config } from '../schemas/settings.ts'
import { type Place, sentenceOf } from './examples.ts'
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
  const { success, problems, scopeAsked, bodiless = false } = operation
  const asked = scopeAsked?.(config)
  const scope = asked === 'public' ? undefined : asked
  const auth = scope !== undefined && config.apiKeysFile !== ''
  const byClient = auth && config.rateLimitClient > 0
  const limited = byClient || (asked !== undefined && config.rateLimitAddress > 0)
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
  const place = { allow: allowed.join(', '), scope }
  const refusals = byStatus.map(([status, all = []]) => {
    const problems = all.map((problem) => ({ ...problem, sentence: sentenceOf(problem, config, place) }))
    return [status, refusal(problems, bodiless, place)] as const
  })
  return {
    response: { 200: { ...(bodiless && noBody), ...success(config) }, ...Object.fromEntries(refusals) },
    security: auth ? [{ apiKey: [scope] }] : token ? [{ adminToken: [] }] : [],
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

function refusal(all: readonly GuidedProblem[], bodiless: boolean, { allow }: Place): Answer {
  const [{ status } = { status: 0 }] = all
  const titles = all.map(({ title }) => title).join('; ')
  const isOfOthers = status === 405
  const description = isOfOthers ? `${titles}: what any method but ${allow} gets` : titles
  const headers = { ...noStore, ...HEADERS[status], ...(isOfOthers && { Allow: allowHeader(allow) }) }
  if (bodiless) return { ...noBody, description, headers }
  const examples = (toValue: (problem: GuidedProblem) => unknown) =>
    Object.fromEntries(
      all.map((problem) => [
        problem.name,
        { summary: problem.title, description: problem.means, value: toValue(problem) },
      ]),
    )
  return {
    description,
    headers,
    content: {
      'text/plain': { schema: { type: 'string' }, examples: examples(({ sentence }) => `${sentence}\n`) },
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { properties: { type: { enum: all.map(({ type }) => type) }, status: { const: status } } },
          ],
        },
        examples: examples(({ type, title, sentence }) => ({ type, title, status, detail: sentence })),
      },
    },
  }
}
