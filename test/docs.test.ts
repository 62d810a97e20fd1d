import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documentPath, documents, remake } from '../scripts/docs.ts'
import { documents as allDocuments, anchorOf, ROOT } from './documents.ts'

test.for(documents)('%s says what the code says; `npm run docs` makes it so', async (document) => {
  const text = readFileSync(documentPath(document), 'utf8')
  expect(text).toContain('<!-- made: ')
  expect(text).toBe(await remake(text))
})

test('a made part that differs from the code is replaced', async () => {
  expect(await remake('a\n<!-- made: settings -->\nold\n<!-- end -->\nb\n')).toMatch(
    /^a\n<!-- made: settings -->\n\| flag .*-max-size.*<!-- end -->\nb\n$/s,
  )
})

/** Its text without blocks of code, in which nothing is a link or a heading. */
function proseOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '')
}

function anchorsOf(document: string): string[] {
  return [...proseOf(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
}

describe('links', () => {
  test.for(allDocuments)('of %s lead somewhere', (document) => {
    const links = [...proseOf(document).matchAll(/(?:\]\(|src="|srcset=")([^)"\s]+)/g)].map(
      ([, link = '']) => link,
    )
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? document : normalize(join(dirname(document), path))
      try {
        if (anchor !== undefined) return !anchorsOf(target).includes(anchor)
        return !existsSync(join(ROOT, target))
      } catch {
        return true
      }
    })
    expect(broken).toEqual([])
  })

  test('lead to every document from one of the two indexes', () => {
    const indexes = proseOf('README.md') + proseOf('docs/README.md')
    const names = allDocuments.filter(
      (document) => document.startsWith('docs/') && document !== 'docs/README.md',
    )
    expect(names.filter((name) => !indexes.includes(name.replace('docs/', '')))).toEqual([])
  })
})
