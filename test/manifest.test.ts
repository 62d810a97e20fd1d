import { readFileSync } from 'node:fs'
import { list } from 'tar'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { manifest, manifestPath, packChart } from '../scripts/manifest.ts'

test('the manifest for k3s holds the chart as it is; `npm run manifest` makes it so', () => {
  // The chart is one line of many thousand characters: to be told that it differs is enough.
  expect(readFileSync(manifestPath, 'utf8') === manifest()).toBe(true)
})

test('the chart is packed to the same bytes every time, with no time, owner or name of this machine', () => {
  expect(packChart()).toEqual(packChart())
  const entries: unknown[] = []
  const reader = list({
    sync: true,
    onReadEntry: ({ mode, mtime, uname }) => entries.push([mode, mtime, uname]),
  })
  reader.end(packChart())
  expect(entries.length).toBeGreaterThan(10)
  expect(new Set(entries.map((entry) => JSON.stringify(entry)))).toEqual(
    new Set([JSON.stringify([0o644, new Date(0), ''])]),
  )
})

test('what a person edits stands in one place, with the values of the documented call', () => {
  const { spec } = parse(manifest())
  expect(parse(spec.valuesContent)).toMatchObject({
    image: { repository: 'localhost:5000/key-server', tag: 'latest' },
    maxSize: 1024,
    srvPort: 1123,
  })
  expect(Buffer.from(spec.chartContent, 'base64')).toEqual(packChart())
})
