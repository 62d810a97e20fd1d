import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documentPath, documents, remake } from '../scripts/docs.ts'
import { buildApp } from './helper.ts'

test.for(documents)('%s says what the code says; `npm run docs` makes it so', (document) => {
  const text = readFileSync(documentPath(document), 'utf8')
  expect(text).toContain('<!-- made: ')
  expect(text).toBe(remake(text))
})

test('a made part that differs from the code is replaced', () => {
  expect(remake('a\n<!-- made: settings -->\nold\n<!-- end -->\nb\n')).toMatch(
    /^a\n<!-- made: settings -->\n\| flag .*-max-size.*<!-- end -->\nb\n$/s,
  )
})

test('docs/monitoring.md speaks of every metric', async () => {
  const text = readFileSync(documentPath('docs/monitoring.md'), 'utf8')
  const spoken = [...text.matchAll(/`([a-z_…]+)`/g)].map(([, name = '']) =>
    RegExp(`^${name.replaceAll('…', '.+')}$`),
  )
  const { body } = await (await buildApp()).inject('/metrics')
  const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !spoken.some((pattern) => pattern.test(name)))).toEqual([])
})
