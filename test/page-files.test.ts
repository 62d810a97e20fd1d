import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillIn, pageFile } from '../src/page-files.ts'

test('what is filled in is text, in an element and in an attribute', () => {
  const html = fillIn('<p class="{{a}}">{{b}}</p>', { a: `"><script>'`, b: '<b>&amp;' })
  expect(html).toBe('<p class="&#34;&#62;&#60;script&#62;&#39;">&#60;b&#62;&#38;amp;</p>')
})

test('nothing that is filled in ends its place', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'<>"\'&{}a$') }), (text) => {
      const filled = fillIn('{{a}}', { a: text })
      expect(filled).not.toMatch(/[<>"']/)
      expect(filled.replaceAll(/&#(\d+);/g, (_all, code: string) => String.fromCharCode(Number(code)))).toBe(
        text,
      )
    }),
  )
})

test('what is filled in is not looked at again', () => {
  expect(fillIn('{{a}} {{b}}', { a: '{{b}}', b: '$&' })).toBe('{{b}} $&#38;')
})

test.for(readdirSync(new URL('../src/page', import.meta.url)))(
  '%s keeps and asks for nothing elsewhere',
  (name) => {
    const text = pageFile(name)
    expect(text).not.toMatch(
      /localStorage|sessionStorage|indexedDB|document\.cookie|history\.|innerHTML|eval\(/,
    )
    expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\/|url\(|@import/)
  },
)
