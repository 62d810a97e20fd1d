import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A file of the page for people: of src/page/ here, and beside the bundle in dist/, where the build puts them. */
export function pageFile(name: string): string {
  return readFileSync(join(import.meta.dirname, 'page', name), 'utf8')
}

/** HTML with `{{name}}` replaced by the value of that name, as text in an element or in a quoted attribute. */
export function fillIn(html: string, values: Readonly<Record<string, string | number>>): string {
  return html.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => escaped(String(values[name])))
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
