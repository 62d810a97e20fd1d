import { describe } from 'vitest'
import { MemoryStore } from '../../src/stores/memory.ts'
import { keepsTheContract } from './contract.ts'

describe.each([
  {
    name: 'memory',
    open: async () => {
      const store = new MemoryStore()
      return () => store
    },
  },
])('the $name store', ({ open }) => keepsTheContract(open))
