import { spawnSync } from 'node:child_process'

/** Whether a program can be started. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** The processor that servers run on; the load comes from the others. */
export const SERVER_CORE = '0'

/** `command` confined to a processor, or as it is where `taskset` is missing. */
export function pinned(core: string, command: readonly string[]): string[] {
  return hasProgram('taskset') ? ['taskset', '-c', core, ...command] : [...command]
}
