import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './documents.ts'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

/** The sources, as paths from the project's root. */
const sources = ['src', 'plugins'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)

/** The folder below src/ that holds a source, `plugins`, or a source that stands in src/ itself. */
const placeOf = (path: string) =>
  path
    .split('/')
    .slice(0, path.startsWith('src/') ? 2 : 1)
    .join('/')

const places = [...new Set(sources.map(placeOf))]

/** What the diagram of the folders has: places by their names in it, and its arrows. */
function diagram() {
  const [, text = ''] = /## The folders\n\n```mermaid\n([\s\S]*?)```/.exec(
    read('docs/explanation/architecture.md'),
  ) ?? ['', '']
  const named = new Map<string, string[]>()
  for (const [, name = '', label = ''] of text.matchAll(/(\w+)\["?([^"\]]+)"?\]/g)) {
    named.set(
      name,
      [...label.matchAll(/(?:src|plugins)\/?[\w.-]*/g)].map(([path]) => path.replace(/\/$/, '')),
    )
  }
  const arrows = [...text.matchAll(/^ +(\w+)\S*.*? --> (\w+)/gm)].flatMap(([, from = '', to = '']) =>
    (named.get(from) ?? []).flatMap((above) => (named.get(to) ?? []).map((below) => [above, below] as const)),
  )
  return { shown: [...named.values()].flat(), arrows }
}

/** All places below one, by the arrows. */
function below(place: string, arrows: readonly (readonly [string, string])[]): string[] {
  const next = arrows.filter(([from]) => from === place).map(([, to]) => to)
  return next.flatMap((to) => [to, ...below(to, arrows)])
}

test('CONTRIBUTING.md says of each place of src/ what lives there, and names none that is gone', () => {
  const table = /## What lives where\n\n([\s\S]*?)\n\n/.exec(read('CONTRIBUTING.md'))?.[1] ?? ''
  const named = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`*]+)`/g)].map(([, path = '']) => path.replace(/\/$/, '')),
  )
  expect(places.filter((place) => !named.includes(place))).toEqual([])
  expect(named.filter((path) => path.startsWith('src') && !existsSync(join(ROOT, path)))).toEqual([])
})

test('each folder of src/ is in the diagram of the folders', () => {
  const folders = places.filter((place) => !place.endsWith('.ts'))
  expect(folders.filter((folder) => !diagram().shown.includes(folder))).toEqual([])
})

test('imports go down only, by the arrows of that diagram', () => {
  const { shown, arrows } = diagram()
  expect(arrows.length).toBeGreaterThan(shown.length)
  const against = sources.flatMap((source) =>
    [...read(source).matchAll(/(?:from|import\() ?'(\.\.?\/[^']+)'/g)]
      .map(([, path = '']) => placeOf(relative(ROOT, join(ROOT, dirname(source), path))))
      .filter((to) => to !== placeOf(source) && shown.includes(to) && shown.includes(placeOf(source)))
      .filter((to) => !below(placeOf(source), arrows).includes(to))
      .map((to) => `${source} → ${to}`),
  )
  expect(against).toEqual([])
})

test('a plugin imports no other plugin', () => {
  const plugins = sources.filter((source) => source.startsWith('plugins/'))
  expect(plugins.filter((plugin) => /from '\.\/(?!\.)/.test(read(plugin)))).toEqual([])
})
