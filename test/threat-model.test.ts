import { existsSync, globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('each test and file that the threat model names is there', () => {
  const [document = ''] = globSync('docs/**/threat-model.md')
  const named = [...readFileSync(document, 'utf8').matchAll(/`((?:test|src|plugins|\.github)\/[^`]+)`/g)]
  const paths = named.map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.filter((path) => !existsSync(path))).toEqual([])
})
