import type { Scope } from '../access/api-keys.ts'
import type { ProblemName } from '../problems/guide.ts'
import type { Config } from '../schemas/settings.ts'
import { keyDocuments, keyTexts, METRICS, problemPage, rawKey, rotation } from './examples.ts'

/** A JSON Schema, or another object of OpenAPI. */
export type Schema = Readonly<Record<string, unknown>>

/** An answer as OpenAPI has it, with headers as @fastify/swagger takes them: by schema. */
export interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, Schema>>
  readonly content?: Readonly<Record<string, Schema>>
}

/** What a route's own schema does not say of it. */
export interface Operation {
  readonly about: {
    operationId: string
    summary: string
    description?: string
    tags: [string]
    /** The path's parameters, where the route judges none. */
    params?: Schema
  }
  /** What it answers when all is well. */
  readonly success: (config: Config) => Answer
  /** The classes of problems that it answers with, besides those of every route. */
  readonly problems: (config: Config) => readonly ProblemName[]
  /** Whether its answers have headers alone. */
  readonly bodiless?: boolean
  /** What `guard` stands before it with: the scope that an API key needs, where there are any. Left out or undefined without. */
  readonly scopeAsked?: (config: Config) => Scope | 'public' | undefined
}

const nothing = () => []

/** Those names, if that is so. */
export const when = (isSo: boolean, ...names: ProblemName[]) => (isSo ? names : [])

/** Of every answer. */
export const noStore: Readonly<Record<string, Schema>> = {
  'Cache-Control': { type: 'string', const: 'no-store' },
}

function keyAnswer(config: Config): Answer {
  const periods = config.unique && {
    'Key-Period': {
      type: 'integer',
      minimum: 1,
      description: 'Of unique keys: the period in which none comes twice',
    },
    'Key-Expires': {
      type: 'string',
      format: 'date-time',
      description: 'Of unique keys: when that period ends, if that is known',
    },
  }
  return {
    description: 'The keys: one as it is, several one a line, raw ones joined',
    headers: { ...noStore, ...periods },
    content: {
      'text/plain': {
        schema: {
          type: 'string',
          description: 'A key, or several with a newline after each',
          pattern: '^[!-~\\n]+$',
        },
        examples: keyTexts(),
      },
      'application/json': {
        schema: { $ref: '#/components/schemas/Keys' },
        examples: keyDocuments(config),
      },
      'application/octet-stream': {
        schema: { type: 'string', contentMediaType: 'application/octet-stream' },
        example: rawKey(),
      },
    },
  }
}

function keyProblems({ unique, saltFrom, maxAnswerBytes, maxInFlight, maxLag }: Config): ProblemName[] {
  return [
    // As of /key/16/, where a client puts together a path of its own.
    'NotFound',
    'InvalidKeyLength',
    'UnknownFormat',
    'InvalidCount',
    'BatchTooLarge',
    'InvalidPrefix',
    'UnknownChecksum',
    'RepeatedParameter',
    'RawNotCombinable',
    'Base58TooLarge',
    'EntropyUnavailable',
    ...when(saltFrom.includes('header:'), 'RepeatedHeader'),
    ...when(unique, 'KeyspaceExhausted', 'KeyspaceUnavailable', 'KeyspaceFenced'),
    'BodyNotAllowed',
    ...when(maxAnswerBytes + maxInFlight + maxLag > 0, 'Overloaded'),
  ]
}

const health = (operationId: string, summary: string): Operation => ({
  about: { operationId, summary, tags: ['operation'] },
  success: () => ({
    description: 'Yes',
    headers: noStore,
    content: { 'text/plain': { schema: { type: 'string', const: 'ok\n' }, example: 'ok\n' } },
  }),
  problems: nothing,
})

const rotationAnswer = (description: string) => (config: Config) => ({
  description,
  headers: noStore,
  content: {
    'application/json': { schema: { $ref: '#/components/schemas/Rotation' }, example: rotation(config) },
  },
})

/** By method and path, as the routes have them; what is not here is for people, or the same as what is. */
export const operations: Readonly<Record<string, Operation>> = {
  'GET /key/:length': {
    about: { operationId: 'getKeys', summary: 'Make keys', tags: ['keys'] },
    success: keyAnswer,
    problems: keyProblems,
    scopeAsked: () => 'key',
  },
  'POST /key/:length': {
    about: {
      operationId: 'makeKeys',
      summary: 'Make keys, for clients whose proxies may repeat a GET',
      description: 'Takes no body.',
      tags: ['keys'],
    },
    success: keyAnswer,
    problems: keyProblems,
    scopeAsked: () => 'key',
  },
  'HEAD /key/:length': {
    about: {
      // The generator adds its method to the name.
      operationId: 'getKeys',
      summary: 'The headers of a GET, without a key being made',
      tags: ['keys'],
    },
    success: (config) => ({
      description: keyAnswer(config).description,
      headers: keyAnswer(config).headers ?? {},
    }),
    problems: keyProblems,
    bodiless: true,
    scopeAsked: () => 'key',
  },
  'GET /rotation': {
    about: {
      operationId: 'getRotation',
      summary: 'The period, what is left of it, and what has happened',
      tags: ['rotation'],
    },
    success: rotationAnswer('As this server last read it'),
    problems: () => ['InvalidSince', 'RepeatedParameter', 'KeyspaceUnavailable'],
    scopeAsked: () => 'public',
  },
  'POST /rotation': {
    about: {
      operationId: 'rotate',
      summary: 'Begin the next period now',
      description: 'All unique keys can come again. Complete on all servers within a minute. Takes no body.',
      tags: ['rotation'],
    },
    success: rotationAnswer('The new period'),
    problems: ({ admin }) => ['BodyNotAllowed', 'KeyspaceUnavailable', ...when(admin, 'AdminTokenNeeded')],
    scopeAsked: () => 'admin',
  },
  'GET /livez': health('getLiveness', 'Whether the process lives'),
  'GET /healthz': health('getHealth', 'The old name of /livez'),
  'GET /readyz': {
    ...health('getReadiness', 'Whether calls should be sent here'),
    problems: () => ['NotReady'],
  },
  'GET /metrics': {
    about: { operationId: 'getMetrics', summary: 'Metrics for Prometheus', tags: ['operation'] },
    success: () => ({
      description: 'The Prometheus text format',
      headers: noStore,
      content: { 'text/plain': { schema: { type: 'string' }, example: METRICS } },
    }),
    problems: nothing,
    scopeAsked: ({ authMetrics }) => (authMetrics ? 'metrics' : undefined),
  },
  'GET /openapi.json': {
    about: { operationId: 'getDescription', summary: 'This description', tags: ['operation'] },
    success: () => ({
      description: 'OpenAPI 3.1',
      headers: noStore,
      content: {
        'application/json': {
          schema: { type: 'object' },
          example: { openapi: '3.1.0', info: {}, paths: {} },
        },
      },
    }),
    problems: nothing,
    scopeAsked: () => 'public',
  },
  'GET /problems/:name': {
    about: {
      operationId: 'getProblem',
      summary: 'A page for people, of a problem type',
      tags: ['problems'],
      params: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'The end of the type', examples: ['not-found'] },
        },
      },
    },
    success: () => ({
      description: 'What the problem means, and what to do',
      headers: noStore,
      content: { 'text/html': { schema: { type: 'string' }, example: problemPage('NotFound') } },
    }),
    problems: () => ['NotFound'],
    scopeAsked: () => 'public',
  },
}
