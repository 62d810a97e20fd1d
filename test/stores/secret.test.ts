import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { secretBeside } from '../../src/stores/secret.ts'
import { newFolder } from '../helper.ts'

describe('a secret beside the database that can be no secret is said so', () => {
  async function failureOf(path: string, make: boolean): Promise<string> {
    const error = await secretBeside(path, make).then(
      () => undefined,
      (reason) => reason,
    )
    expect(error).toMatchObject({ name: 'StoreError', lasting: true })
    expect(error.message).not.toContain('hunter2')
    return error.message
  }

  test('when it is gone, though something is stored that it is needed for', async () => {
    const folder = await newFolder()
    expect(await failureOf(join(folder, 'keys.db'), false)).toMatch(
      /is gone .* put it back, or give KEYSPACE_SECRET/,
    )
    expect(await readdir(folder)).toEqual([])
  })

  test.for([true, false])('when it is too short (may one be made: %s)', async (make) => {
    const path = join(await newFolder(), 'keys.db')
    await writeFile(`${path}.secret`, 'hunter2\n')
    expect(await failureOf(path, make)).toMatch(/has fewer than 32 bytes: put the right one back/)
    expect(await readFile(`${path}.secret`, 'utf8')).toBe('hunter2\n')
  })

  test('when it is a folder', async () => {
    const path = join(await newFolder(), 'keys.db')
    await mkdir(`${path}.secret`)
    expect(await failureOf(path, true)).toMatch(/can't be read or made: EISDIR/)
  })

  test('when its folder is a file', async () => {
    const folder = join(await newFolder(), 'file')
    await writeFile(folder, '')
    expect(await failureOf(join(folder, 'keys.db'), true)).toMatch(/can't be read or made: E(NOTDIR|EXIST)/)
  })
})

test('one that is made has 32 random bytes, is for its owner alone, and stays', async () => {
  const folder = join(await newFolder(), 'data')
  const path = join(folder, 'keys.db')
  const { secret, made } = await secretBeside(path, true)
  expect([made, Buffer.from(secret, 'base64url').length]).toEqual([true, 32])
  expect(await readdir(folder)).toEqual(['keys.db.secret'])
  expect((await stat(`${path}.secret`)).mode & 0o777).toBe(0o600)
  for (const make of [true, false]) expect(await secretBeside(path, make)).toEqual({ secret, made: false })
  const other = await secretBeside(join(await newFolder(), 'keys.db'), true)
  expect(other.secret).not.toBe(secret)
})

test('of those that make one at the same time, all get the same', async () => {
  const path = join(await newFolder(), 'keys.db')
  const found = await Promise.all(Array.from({ length: 8 }, () => secretBeside(path, true)))
  expect(found.filter(({ made }) => made)).toHaveLength(1)
  expect(new Set(found.map(({ secret }) => secret)).size).toBe(1)
})

test('one that an operator wrote is taken as it is, without its line end', async () => {
  const path = join(await newFolder(), 'keys.db')
  await writeFile(`${path}.secret`, `${'s'.repeat(32)}\r\n`)
  await chmod(`${path}.secret`, 0o400)
  expect(await secretBeside(path, true)).toEqual({ secret: 's'.repeat(32), made: false })
})
