import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documentPath, documents, remake } from '../scripts/docs.ts'

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
