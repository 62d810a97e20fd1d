import { describe, expect, test } from 'vitest'
import { keyForm } from '../../src/keys/encodings.ts'
import type { Config } from '../../src/schemas/settings.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { buildApp } from '../helper.ts'
import { type Description, describe31, everything, examplesOf, judge, operationsOf } from './described.ts'

const partsOf = (description: Description) =>
  operationsOf(description).flatMap(([name, { parameters = [], responses }]) => [
    ...parameters.map((parameter) => [`${name} ${parameter.name}`, parameter] as const),
    ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).map(([type, media]) => [`${name} ${status} ${type}`, media] as const),
    ),
  ])

const SETTINGS: [string, Partial<Config>][] = [
  ['by default', {}],
  ['with all that can be on', everything],
  ['with small bounds', { maxSize: 8, maxCount: 1, unique: true }],
  ['without short keys', { minSize: 16, unique: true }],
]

describe.for(SETTINGS)('the description %s', ([, overrides]) => {
  test('has an example of every parameter and of what every answer holds', async () => {
    const parts = partsOf(await describe31(overrides))
    expect(parts.length).toBeGreaterThan(60)
    expect(parts.filter(([, part]) => examplesOf(part).length === 0).map(([name]) => name)).toEqual([])
  })

  test('has no example that is not as its schema says, or that leaves something out', async () => {
    const description = await describe31(overrides)
    const verdict = judge(description)
    for (const [name, part] of partsOf(description)) {
      for (const example of examplesOf(part)) {
        expect([name, ...verdict(part.schema, example)]).toEqual([name, true, null])
        expect(JSON.stringify(example)).not.toMatch(/…|undefined/)
      }
    }
  })

  test('has a form to try calls that begins with what the path needs alone', async () => {
    const parameters = operationsOf(await describe31(overrides)).flatMap(
      ([, operation]) => operation.parameters ?? [],
    )
    const filled = parameters.filter(
      ({ example, examples }) => example !== undefined || examples !== undefined,
    )
    expect(new Set(filled.map((parameter) => parameter.in))).toEqual(new Set(['path']))
  })
})

test('examples of keys are what calls are answered, but for the key', async () => {
  const app = await buildApp()
  const { content = {} } = (await describe31()).paths['/key/{length}']?.get?.responses[200] ?? {}
  const form = (body: string) => body.replaceAll(new RegExp(keyForm(16), 'g'), 'KEY')
  for (const [type, accept] of [
    ['text/plain', '*/*'],
    ['application/json', 'application/json'],
  ] as const) {
    const bodies = ['/key/16', '/key/16?count=2'].map(async (url) =>
      form((await app.inject({ url, headers: { accept } })).body),
    )
    const examples = examplesOf(content[type] ?? { schema: {} }).map((example) =>
      form(typeof example === 'string' ? example : JSON.stringify(example)),
    )
    expect(examples).toEqual(await Promise.all(bodies))
  }
  const [raw] = examplesOf(content['application/octet-stream'] ?? { schema: {} })
  expect(Buffer.from(String(raw), 'utf8')).toHaveLength(16)
})

test.for(['/livez', '/metrics', '/problems/not-found'])(
  'the example of %s is what it answers',
  async (url) => {
    const app = await buildApp()
    await app.inject('/key/16')
    const path = url.replace(/not-found$/, '{name}')
    const { content = {} } = (await describe31()).paths[path]?.get?.responses[200] ?? {}
    const [[type, media] = ['', { schema: {} }]] = Object.entries(content)
    const { headers, body } = await app.inject(url)
    expect(headers['content-type']).toContain(type)
    expect(body).toContain(examplesOf(media)[0])
  },
)

test('the example of /rotation tells what the answer tells', async () => {
  const overrides = { unique: true, rotateEvery: 30 }
  const app = await buildApp(overrides, { store: new MemoryStore() })
  const { content = {} } = (await describe31(overrides)).paths['/rotation']?.get?.responses[200] ?? {}
  const [example] = examplesOf(content['application/json'] ?? { schema: {} })
  expect(Object.keys(example as object)).toEqual(Object.keys((await app.inject('/rotation')).json()))
})
