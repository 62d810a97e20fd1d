import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../documents.ts'
import { newFolder } from '../helper.ts'

/** The project's files, those among them that are new and not ignored, from its folder. */
export function projectFiles(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  return files.filter((file) => existsSync(join(ROOT, file)))
}

/** The project as a clone would be, with what `npm ci` has installed; removed when the test ends. */
export async function newClone(): Promise<string> {
  const folder = await newFolder()
  for (const file of projectFiles()) cpSync(join(ROOT, file), join(folder, file))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
