import swagger from '@fastify/swagger'
import Fastify, { type FastifySchema, type RouteOptions } from 'fastify'
import packageJson from '../../package.json' with { type: 'json' }
import type { Config } from '../schemas/settings.ts'
import { answersTo } from './answers.ts'
import { reusable } from './components.ts'
import { operations } from './operations.ts'

/** What is described of a route. */
export type DescribedRoute = Pick<RouteOptions, 'method' | 'url' | 'schema'>

/**
 * The description of an API in OpenAPI 3.1, as JSON: of those routes, by their own schemas, that `operations` names, for a
 * server with these settings.
 */
export async function describeApi(routes: readonly DescribedRoute[], config: Config): Promise<string> {
  // Nothing is served from it: it is what the generator can read routes from.
  const app = Fastify({ exposeHeadRoutes: false })
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => JSON.stringify)
  await app.register(swagger, {
    exposeHeadRoutes: true,
    // Its way to do so takes absolute servers alone.
    stripBasePath: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'key-server',
        version: packageJson.version,
        summary: packageJson.description,
        description:
          'Errors are one line of text, or problem documents (RFC 9457) for a client that ranks JSON above text in its Accept header. Paths that there are none of answer 404; what a path answers to other methods stands with its GET.',
        license: { name: packageJson.license, identifier: packageJson.license },
      } as never,
      servers: [{ url: '.', description: 'where this description is' }],
      tags: [
        { name: 'keys', description: 'Cryptographic keys' },
        ...(config.unique ? [{ name: 'rotation', description: 'Periods of unique keys' }] : []),
        { name: 'operation', description: 'For those who run the server' },
        { name: 'problems', description: 'What errors mean' },
      ],
      components: reusable(config),
    },
  })
  for (const { method, url, schema } of routes) {
    const operation = operations[`${method} ${url}`]
    if (operation === undefined) continue
    // OpenAPI has no place for what a path answers to methods that it has none of, so its GET says it.
    const allowed = method === 'GET' ? methodsOf(url, routes) : []
    const described = { ...withNumbers(schema), ...operation.about, ...answersTo(operation, config, allowed) }
    app.route({ method, url, schema: described as FastifySchema, handler: () => undefined })
  }
  await app.ready()
  const document = app.swagger()
  await app.close()
  return JSON.stringify(document, quietly)
}

/** An example of a parameter is what the viewer's form begins with and sends; one of its schema is for who reads it. */
function quietly(_key: string, value: { in?: string; example?: unknown; schema?: object } | null) {
  if (value?.in !== 'query' || value.example === undefined) return value
  const { example, schema, ...rest } = value
  return { ...rest, schema: { ...schema, examples: [example] } }
}

/** The methods of a path. */
function methodsOf(path: string, routes: readonly DescribedRoute[]): string[] {
  return routes.flatMap(({ method, url }) => (url === path ? method : [])).sort()
}

/** A schema whose whole numbers are what they are to a client: integers with bounds. */
function withNumbers<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema ?? {}), (_key, value) => {
    if (value?.wholeNumber === undefined) return value
    const { wholeNumber, type: _type, examples, ...rest } = value
    return { ...rest, type: 'integer', ...wholeNumber, ...(examples && { examples: examples.map(Number) }) }
  })
}
