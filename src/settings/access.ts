import { readApiKeys } from '../access/api-key-file.ts'
import { readTlsPair } from '../access/tls-pair.ts'
import { readGuardedFile } from '../access/watched-files.ts'
import type { Config } from '../schemas/settings.ts'

/** What is wrong with the settings of who may call, and with the files that they name, in sentences. */
export function accessProblems(config: Config): string[] {
  const { admin, apiKeysFile, authMetrics, tlsCert, tlsKey } = config
  const { rateLimitAddress, rateLimitClient, rateLimitStore } = config
  const problems: string[] = []
  if (apiKeysFile !== '')
    problems.push(...faultOf('api-keys-file', () => readApiKeys(readGuardedFile(apiKeysFile))))
  if (admin && apiKeysFile !== '') {
    problems.push(
      '-admin (ADMIN) is for servers without -api-keys-file: with it, the scope admin lets a client rotate',
    )
  }
  if (authMetrics && apiKeysFile === '') problems.push('-auth-metrics (AUTH_METRICS) needs -api-keys-file')
  if (rateLimitClient > 0 && apiKeysFile === '') {
    problems.push(
      '-rate-limit-client (RATE_LIMIT_CLIENT) needs -api-keys-file: without it nobody knows a client',
    )
  }
  if (rateLimitStore !== undefined && !isRedisUrl(rateLimitStore)) {
    problems.push(
      '-rate-limit-store (RATE_LIMIT_STORE) must be redis:// or rediss://, a host and, if need be, user, password, port and the number of a database',
    )
  }
  if (rateLimitStore !== undefined && rateLimitAddress + rateLimitClient === 0) {
    problems.push('-rate-limit-store (RATE_LIMIT_STORE) needs -rate-limit-address or -rate-limit-client')
  }
  if ((tlsCert === '') !== (tlsKey === '')) {
    problems.push('-tls-cert (TLS_CERT) and -tls-key (TLS_KEY) go together: one of them is missing')
  } else if (tlsCert !== '') {
    problems.push(...faultOf('tls-cert', () => readTlsPair(tlsCert, tlsKey)))
  }
  return problems
}

/** A query would be taken for options of the client, timeouts among them. */
function isRedisUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null) return false
  const { protocol, hostname, pathname, search, hash } = url
  return (
    /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/[0-9]*)?$/.test(pathname) && search + hash === ''
  )
}

function faultOf(flag: string, read: () => unknown): string[] {
  try {
    read()
    return []
  } catch (error) {
    return [`-${flag} (${flag.replaceAll('-', '_').toUpperCase()}): ${(error as Error).message}`]
  }
}
