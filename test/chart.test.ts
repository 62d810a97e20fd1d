import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }
import { chartFiles, chartPath, isFile, placeOf } from '../scripts/chart.ts'
import { Settings } from '../src/schemas/settings.ts'
import { settingsOf } from '../src/settings/settings.ts'
import { type Location, readLocation } from '../src/stores/location.ts'

const read = (name: string) => readFileSync(chartPath(name), 'utf8')

test.for(Object.entries(chartFiles))(
  '%s says what the code says; `npm run chart` makes it so',
  ([name, make]) => {
    expect(read(name)).toBe(make(read))
  },
)

test.for(settingsOf(Settings))(
  'the setting %s is a value of the chart with the same default',
  ([name, setting]) => {
    const path = placeOf(name).split('.')
    const value = path.reduce((values, part) => values[part], parse(read('values.yaml')))
    // The chart's default names the kind of store that the setting's is.
    if (name === 'store') expect(value).toBe((readLocation(String(setting.default)) as Location).kind)
    else if (setting.secret || isFile(name)) expect(value).toMatchObject({ name: '' })
    else expect(value).toBe(setting.default ?? '')
  },
)

test('the image and the chart have the version of the package', () => {
  const { version, appVersion } = parse(read('Chart.yaml'))
  const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8')
  expect([version, appVersion, /^ARG VERSION=(.*)$/m.exec(dockerfile)?.[1]]).toEqual(
    Array(3).fill(packageJson.version),
  )
})

interface Part {
  description?: string
  default?: unknown
  properties?: Record<string, Part>
}

test('every value has a description and a default', () => {
  const bare = (path: string, { properties = {} }: Part): string[] =>
    Object.entries(properties).flatMap(([name, part]) => {
      const here = `${path}.${name}`
      const complete = part.description !== undefined && (part.properties !== undefined || 'default' in part)
      return [...(complete ? [] : [here]), ...bare(here, part)]
    })
  expect(bare('', JSON.parse(read('values.schema.json')))).toEqual(['.global'])
})
