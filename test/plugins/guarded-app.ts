import type { FastifyInstance } from 'fastify'
import { hashSecret, newSecret, type Scope } from '../../src/access/api-keys.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp, Recorder } from '../helper.ts'

export interface Entry {
  id: string
  sha256: string
  scopes: Scope[]
  expires?: string
}

function newKey(id: string, scopes: Scope[] = ['key'], expires?: string): { secret: string; entry: Entry } {
  const secret = newSecret()
  const entry = { id, sha256: hashSecret(secret).toString('hex'), scopes }
  return { secret, entry: expires === undefined ? entry : { ...entry, expires } }
}

export const good = newKey('good')
export const unique = newKey('unique', ['key', 'key:unique'])
export const scraper = newKey('scraper', ['metrics'])
export const admin = newKey('admin', ['admin'])
export const expired = newKey('expired', ['key'], '2020-01-01')
export const revoked = newKey('revoked')
export const FILE = JSON.stringify({
  keys: [good, unique, scraper, admin, expired].map(({ entry }) => entry),
})
export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })

export async function guardedApp(
  overrides: Partial<Config> = {},
  log = new Recorder(),
): Promise<FastifyInstance> {
  return buildApp({ apiKeysFile: 'given', ...overrides }, { log, apiKeys: FILE, store: new MemoryStore() })
}
