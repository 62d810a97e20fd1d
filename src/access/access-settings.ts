import type { Config } from '../schemas/settings.ts'
import { readApiKeys } from './api-key-file.ts'
import { readGuardedFile } from './watched-files.ts'

/** What is wrong with the settings of who may call, and with the files that they name, in sentences. */
export function accessProblems({ apiKeysFile, authMetrics }: Config): string[] {
  const problems: string[] = []
  if (apiKeysFile !== '')
    problems.push(...faultOf('api-keys-file', () => readApiKeys(readGuardedFile(apiKeysFile))))
  if (authMetrics && apiKeysFile === '') problems.push('-auth-metrics (AUTH_METRICS) needs -api-keys-file')
  return problems
}

function faultOf(flag: string, read: () => unknown): string[] {
  try {
    read()
    return []
  } catch (error) {
    return [`-${flag} (${flag.replaceAll('-', '_').toUpperCase()}): ${(error as Error).message}`]
  }
}
