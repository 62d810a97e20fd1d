import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'vitest'

const missing = new Set<string>()

/** Where a program is. A test is skipped on a machine that lacks it, and fails where CI is to have them all. */
export function needs(program: string, { skip }: TestContext): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const found = folders.map((folder) => join(folder, program)).find(existsSync)
  if (found !== undefined) return found
  if (process.env.CI === 'true') throw new Error(`${program} is not installed`)
  if (!missing.has(program)) console.warn(`Skipped, because ${program} is not installed`)
  missing.add(program)
  return skip(`${program} is not installed`)
}
