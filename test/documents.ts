import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, '..')

/** A block of code in a document, as in "```sh no-run: needs a cluster". */
export interface Block {
  /** Of the first line of `text`, from 1. */
  readonly line: number
  readonly language: string
  /** What stands after the language. */
  readonly mark: string
  readonly text: string
}

/** The documents, from the project's folder. */
export const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort()

/** The blocks of code in a document, without their indentation. */
export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^( *)```(\w*) *(.*)\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [, indent = '', language = '', mark = '', code = ''] = match
    const line = text.slice(0, match.index).split('\n').length + 1
    return { line, language, mark, text: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }
  })
}

/** Those of one document. */
export function blocksIn(document: string): Block[] {
  return blocksOf(readFileSync(resolve(ROOT, document), 'utf8'))
}

/** The name that a heading has in a link to it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}
