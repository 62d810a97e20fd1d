import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { readApiKeys } from '../src/access/api-key-file.ts'
import { ApiKeys, type Client, type CredentialFault, type Scope } from '../src/access/api-keys.ts'
import { bearerToken } from '../src/access/bearer.ts'
import { watchFiles } from '../src/access/watched-files.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'
import { Forbidden, type Problem, Unauthorized } from '../src/problems/problems.ts'
import { refusalLog } from '../src/request-log.ts'

/** Who may call, for the routes that ask. */
interface Auth {
  /** A hook that lets only clients with that scope through, and says who it is in `request.client`. */
  require(scope: Scope): onRequestHookHandler
  /**
   * Sees that the client of a call that such a hook let through has one scope more.
   * @throws {Problem}
   */
  demand(scope: Scope, request: FastifyRequest): void
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined unless a file of API keys is given: then everybody may call. */
    readonly auth: Auth | undefined
  }
  interface FastifyRequest {
    /** Who calls, on routes that ask; undefined without auth. */
    client: Client | undefined
  }
}

interface Parts {
  readonly log: FastifyBaseLogger
  /** The text of a file of API keys, for the self-test; what the settings name if left out. */
  readonly apiKeys?: string | undefined
}

type Result = 'ok' | 'missing' | CredentialFault | 'forbidden'

/** Asks for API keys where a file of them is given. */
export default fp<Parts>(
  async (app, { log, apiKeys }) => {
    const path = app.config.apiKeysFile
    if (path === '') {
      app.decorate('auth', undefined)
      return
    }
    const results = { ok: 0, missing: 0, malformed: 0, unknown: 0, expired: 0, forbidden: 0 }
    const keys = apiKeys === undefined ? watchedKeys(app, path, log) : { now: toKeys(apiKeys), sound: true }
    const tell = refusalLog(log, 'a call was refused for its credential')

    const refusal = (result: Exclude<Result, 'ok'>, request: FastifyRequest, scope: Scope) => {
      results[result]++
      tell(request, { result })
      return problemOf(result, scope)
    }
    const clientOf = (token: string | undefined) => {
      if (token === undefined) return 'missing'
      // A second kind of credential, such as a JWT, would be told by its form and checked here.
      return keys.now.check(token, Date.now())
    }

    app.decorateRequest('client', undefined)
    app.decorate('auth', {
      require: (scope) => (request, _reply, done) => {
        const found = clientOf(bearerToken(request.raw))
        if (typeof found === 'string') return done(refusal(found, request, scope))
        request.client = found
        if (!found.scopes.has(scope)) return done(refusal('forbidden', request, scope))
        results.ok++
        done()
      },
      demand: (scope, request) => {
        if (!request.client?.scopes.has(scope)) throw refusal('forbidden', request, scope)
      },
    })

    const { registry } = app
    const calls =
      'Calls by what their credential was: a revoked one is unknown, one that lacks key:unique alone is ok and forbidden'
    const counted = () => Object.entries(results).map(([result, value]) => ({ labels: { result }, value }))
    registerScraped(registry, 'counter', 'auth_calls_total', calls, counted)
    registerScraped(registry, 'gauge', 'api_keys', 'API keys in use, expired ones among them', () => [
      { value: keys.now.size },
    ])
    const broken = '0 while the file of API keys is broken and the one before it is in use'
    registerScraped(registry, 'gauge', 'api_keys_file_healthy', broken, () => [{ value: keys.sound ? 1 : 0 }])
  },
  { name: 'auth', fastify: '5.x', dependencies: ['metrics'] },
)

/** RFC 6750, section 3: no error code for a call without a credential; the body is the same for each of these. */
function problemOf(result: Exclude<Result, 'ok'>, scope: Scope): Problem {
  const challenge = {
    missing: 'Bearer realm="key-server"',
    forbidden: `Bearer realm="key-server", error="insufficient_scope", scope="${scope}"`,
    wrong: 'Bearer realm="key-server", error="invalid_token"',
  }
  const known = result === 'missing' || result === 'forbidden' ? result : 'wrong'
  const problem = result === 'forbidden' ? new Forbidden(scope) : new Unauthorized()
  return Object.assign(problem, { headers: { 'www-authenticate': challenge[known] } })
}

function toKeys(text: string): ApiKeys {
  return new ApiKeys(readApiKeys(text))
}

/** The keys of a file, which change with it as long as it can be used. */
function watchedKeys(app: FastifyInstance, path: string, log: FastifyBaseLogger) {
  const keys = { now: new ApiKeys([]), sound: true }
  const take = ([text = '']: string[]) => {
    keys.now = toKeys(text)
    keys.sound = true
    log.info(`API keys in use: ${keys.now.size}`)
  }
  const failed = ({ message }: Error) => {
    keys.sound = false
    log.error(`The file of API keys can't be used, so that what it held before stays in use: ${message}`)
  }
  const stop = watchFiles([path], take, failed)
  app.addHook('onClose', async () => stop())
  return keys
}
