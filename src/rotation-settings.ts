import { readFileSync } from 'node:fs'
import { LEAST_TOKEN_BYTES, tokenIn } from './admin-token.ts'
import type { Config } from './schemas/settings.ts'

/** What is wrong with the settings of rotation, in sentences without secrets. */
export function rotationProblems(config: Config): string[] {
  const { unique, rotateEvery, admin, adminTokenFile } = config
  const problems: string[] = []
  // A value with a problem of its own is undefined here.
  if (rotateEvery > 0 && unique === false)
    problems.push('-rotate-every needs -unique: only unique keys have periods')
  if (admin !== true) return problems
  if (unique === false) problems.push('-admin needs -unique: there is nothing else to administer')
  if (adminTokenFile === undefined) {
    problems.push(
      `-admin needs ADMIN_TOKEN_FILE: the path of a file with a token of at least ${LEAST_TOKEN_BYTES} bytes`,
    )
  } else problems.push(...tokenProblems(adminTokenFile))
  return problems
}

function tokenProblems(file: string): string[] {
  const setting = 'the file that -admin-token-file (ADMIN_TOKEN_FILE) names'
  try {
    const size = Buffer.byteLength(tokenIn(readFileSync(file, 'utf8')))
    if (size >= LEAST_TOKEN_BYTES) return []
    return [`${setting} must hold a token of at least ${LEAST_TOKEN_BYTES} bytes, not ${size}`]
  } catch (error) {
    return [`cannot read ${setting}: ${(error as NodeJS.ErrnoException).code}`]
  }
}
