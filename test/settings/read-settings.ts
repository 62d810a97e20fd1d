import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../src/schemas/settings.ts'
import { readSettings, SettingsError, type SettingsSources } from '../../src/settings/settings.ts'
import { newFolder } from '../helper.ts'

export interface Given extends Partial<Pick<SettingsSources, 'args' | 'env'>> {
  dotenv?: string
  unreadable?: boolean
}

export async function read({ args = [], env = {}, dotenv, unreadable }: Given): Promise<Config> {
  const folder = await newFolder()
  if (unreadable) await mkdir(join(folder, '.env'))
  if (dotenv !== undefined) await writeFile(join(folder, '.env'), dotenv)
  return readSettings({ args, env, folder })
}

export async function problemsOf(given: Given): Promise<readonly string[]> {
  try {
    await read(given)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}
