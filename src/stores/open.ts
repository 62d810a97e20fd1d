import { readLocation } from './location.ts'
import { type Store, StoreError } from './store.ts'

/**
 * The store that the setting `store` names. It connects when it is first used, and each kind is loaded only
 * where it is wanted: a server without one pays nothing.
 * @throws {StoreError} for a setting that names none.
 */
export async function openStore(setting: string): Promise<Store> {
  const location = readLocation(setting)
  if (typeof location === 'string') throw new StoreError(`-store (STORE) ${location}`, { lasting: true })
  switch (location.kind) {
    case 'file': {
      const { FileStore } = await import('./file.ts')
      return new FileStore(location.path)
    }
    case 'postgres': {
      const { PostgresStore } = await import('./postgres.ts')
      return new PostgresStore(location.url)
    }
    case 'kubernetes': {
      const { KubernetesStore } = await import('./kubernetes.ts')
      return new KubernetesStore(location.secret)
    }
  }
}
