import { Seal } from '../../src/key-space/seal.ts'
import { SharedSpace } from '../../src/key-space/shared-space.ts'
import { SECRET, type World } from '../key-space/world.ts'

export const OTHER_SECRET = 'another secret of more than 32 bytes'

/** Lets everything that needs no time come to its end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
}

export async function rotate(world: World): Promise<void> {
  await new SharedSpace(world.store(), new Seal([SECRET]), world.clock).rotate()
}
