import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const texts = new Map<string, string>()
const viewer = new Map<string, Buffer>()

/**
 * A file of the pages for people: of src/page/ here, and beside the bundle in dist/, where the build puts them. Read when
 * it is first asked for.
 */
export function pageFile(name: string): string {
  return remembered(texts, name, () => readFileSync(join(import.meta.dirname, 'page', name), 'utf8'))
}

/** A file of the viewer of the API's description: of its package here, and beside the bundle in dist/; read as those are. */
export function viewerFile(name: string): Buffer {
  return remembered(viewer, name, () => {
    const built = join(import.meta.dirname, 'viewer', name)
    return readFileSync(
      existsSync(built) ? built : join(import.meta.dirname, '../node_modules/swagger-ui-dist', name),
    )
  })
}

function remembered<T>(known: Map<string, T>, name: string, read: () => T): T {
  const found = known.get(name) ?? read()
  known.set(name, found)
  return found
}

/**
 * What a page is to its browser: it has its own files and this server's answers, and nothing of anybody else. `trusted`: it
 * makes no markup of texts.
 */
export function pageHeaders({ trusted }: { trusted: boolean }): Record<string, string> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      ...(trusted ? ["require-trusted-types-for 'script'", "trusted-types 'none'"] : []),
    ].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
  }
}

/** HTML with `{{name}}` replaced by the value of that name, as text in an element or in a quoted attribute. */
export function fillIn(html: string, values: Readonly<Record<string, string | number>>): string {
  return html.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => escaped(String(values[name])))
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
