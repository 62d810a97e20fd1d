import { join } from 'node:path'
import { describe } from 'vitest'
import { FileStore } from '../../src/stores/file.ts'
import { KubernetesStore } from '../../src/stores/kubernetes.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { newFolder } from '../helper.ts'
import { keepsTheContract, type NewStore } from './contract.ts'
import { KubernetesApi } from './kubernetes-api.ts'

describe.each<[name: string, newStore: NewStore]>([
  [
    'memory',
    async () => {
      const store = new MemoryStore()
      return () => store
    },
  ],
  [
    'file',
    async () => {
      const path = join(await newFolder(), 'keys.db')
      return () => new FileStore(path)
    },
  ],
  [
    'kubernetes',
    async () => {
      const api = await KubernetesApi.start()
      return () => new KubernetesStore('keys', api.cluster)
    },
  ],
])('the %s store', (_name, newStore) => keepsTheContract(newStore))
