import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readSettings, SettingsError } from '../src/settings.ts'
import { newFolder } from './helper.ts'

function problemsOf(args: readonly string[]): readonly string[] {
  try {
    readSettings({ args, env: {}, folder: '/nonexistent' })
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('-rotate-every', () => {
  test.for(['0', '1', '30', '90', '365', '3650'])('%s is a policy', (days) => {
    expect(problemsOf(['-unique', '-rotate-every', days])).toEqual([])
  })

  test.for(['-1', '1.5', '10000000', '3651', '', '30d', '1e2', ' 30'])('%j is none', (days) => {
    expect(problemsOf(['-unique', `-rotate-every=${days}`])).toEqual([
      `-rotate-every (ROTATE_EVERY) must be a whole number from 0 to 3650, not ${JSON.stringify(days)}`,
    ])
  })

  test('goes with -unique alone', () => {
    expect(problemsOf(['-rotate-every', '30'])).toEqual([
      '-rotate-every needs -unique: only unique keys have periods',
    ])
    expect(problemsOf(['-rotate-every', '0'])).toEqual([])
  })
})

describe('-admin', () => {
  const admin = (file: string, args: readonly string[] = ['-unique']) =>
    problemsOf([...args, '-admin', '-admin-token-file', file])

  test('needs a file with a token', async () => {
    const folder = await newFolder()
    const file = join(folder, 'token')
    const name = 'the file that -admin-token-file (ADMIN_TOKEN_FILE) names'
    expect(problemsOf(['-unique', '-admin'])).toEqual([
      expect.stringMatching(/^-admin needs ADMIN_TOKEN_FILE: /),
    ])
    expect(admin(file)).toEqual([`cannot read ${name}: ENOENT`])
    await mkdir(join(folder, 'folder'))
    expect(admin(join(folder, 'folder'))).toEqual([`cannot read ${name}: EISDIR`])
    await writeFile(file, `${'x'.repeat(31)}\n`)
    expect(admin(file)).toEqual([`${name} must hold a token of at least 32 bytes, not 31`])
    await writeFile(file, `${'x'.repeat(32)}\r\n`)
    expect(admin(file)).toEqual([])
    expect(admin(file, [])).toEqual(['-admin needs -unique: there is nothing else to administer'])
  })

  test('that is off looks at no file', () => {
    expect(problemsOf(['-unique', '-admin-token-file', '/nonexistent'])).toEqual([])
  })
})
