import { expect, test } from 'vitest'
import { blocksIn, blocksOf, documents } from './documents.ts'

test('a block has a language, a mark, a place and its text without indentation', () => {
  expect(blocksOf('a\n```sh no-run: needs b\nc\n```\n\n- d\n\n  ```json\n  {\n    }\n  ```\n')).toEqual([
    { line: 3, language: 'sh', mark: 'no-run: needs b', text: 'c\n' },
    { line: 9, language: 'json', mark: '', text: '{\n  }\n' },
  ])
})

test('there are documents', () => {
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md']))
  expect(documents.length).toBeGreaterThan(10)
})

test.for(documents)('%s says of each block of commands that it is run, or why not', (document) => {
  const blocks = blocksIn(document)
  const unmarked = blocks.filter(
    ({ language, mark }) => language === 'sh' && !/^(run|no-run: \S.+)$/.test(mark),
  )
  expect(unmarked.map(({ line }) => `${document}:${line}`)).toEqual([])
  // By one name alone, so that none is overlooked.
  expect(blocks.filter(({ language }) => /^(bash|shell|console|zsh)$/.test(language))).toEqual([])
})

test.for(documents)(
  '%s has no secret on a command line, which others on the machine can read',
  (document) => {
    const secret =
      /(?:-H|--header) ["']Authorization|--from-literal=\S*(?:secret|token|store)\b|:\/\/[^\s/]*:[^\s/]+@/
    const commands = blocksIn(document)
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.split('\n').map((line) => line.replace(/(^| )#.*/, '')))
    expect(commands.filter((command) => secret.test(command))).toEqual([])
  },
)
