import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import packageJson from '../package.json' with { type: 'json' }
import { chartFiles, chartPath } from '../scripts/chart.ts'
import { Settings } from '../src/schemas/settings.ts'
import { settingsOf } from '../src/settings.ts'

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
    const expected = setting.secret ? { name: '' } : (setting.default ?? '')
    expect(parse(read('values.yaml'))).toMatchObject({ [name]: expected })
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
