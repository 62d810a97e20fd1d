import { readFileSync, writeFileSync } from 'node:fs'
import { Document, isMap, isScalar, type YAMLMap } from 'yaml'
import { Settings } from '../src/schemas/settings.ts'
import { flagOf, type Setting, settingsOf } from '../src/settings/settings.ts'

/** A part of the chart's values.schema.json. */
export interface Schema {
  readonly $comment?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
}

const MADE = 'made from src/schemas/settings.ts'

/** A group of values, each with the setting that it is. */
interface Group {
  readonly description: string
  readonly values: Readonly<Record<string, string>>
}

/** The values that the chart has in groups. */
const groups: Readonly<Record<string, Group>> = {
  rotation: {
    description: 'when all unique keys can come again, and who may make it so, see docs/how-to/rotation.md',
    values: { every: 'rotateEvery', admin: 'admin', adminToken: 'adminTokenFile' },
  },
  webhooks: {
    description: 'who is told of rotations and of lengths that run out, see docs/how-to/rotation.md',
    values: { urls: 'webhookUrls', secret: 'webhookSecret', allowCidr: 'webhookAllowCidr' },
  },
  salt: {
    description: 'who random keys are bound to, see docs/how-to/salt.md',
    values: { from: 'saltFrom' },
  },
  auth: {
    description: 'who may call, see docs/how-to/access.md',
    values: { apiKeys: 'apiKeysFile', metrics: 'authMetrics' },
  },
  rateLimit: {
    description: 'how often one may call, see docs/how-to/access.md',
    values: {
      address: 'rateLimitAddress',
      client: 'rateLimitClient',
      window: 'rateLimitWindow',
      store: 'rateLimitStore',
    },
  },
  overload: {
    description: 'what is too much for one pod, see docs/how-to/access.md',
    values: {
      maxConnections: 'maxConnections',
      maxRequestsPerSocket: 'maxRequestsPerSocket',
      maxAnswerBytes: 'maxAnswerBytes',
      maxInFlight: 'maxInFlight',
      maxLag: 'maxLag',
    },
  },
}

/** Settings that the chart's own templates write, and where their values are. */
const written: Readonly<Record<string, string>> = {
  unique: 'unique.enabled',
  store: 'unique.store',
  keyspaceSecret: 'unique.secret',
  keyspaceOldSecret: 'unique.oldSecret',
  tlsCert: 'tls.secretName',
  tlsKey: 'tls.secretName',
}

const grouped = Object.fromEntries(
  Object.entries(groups).flatMap(([group, { values }]) =>
    Object.entries(values).map(([value, setting]) => [setting, `${group}.${value}`]),
  ),
)

const settings = new Map(settingsOf(Settings).filter(([name]) => !(name in written)))

/** Where the chart has the value of a setting, with dots between the parts. */
export function placeOf(name: string): string {
  return written[name] ?? grouped[name] ?? name
}

/** Whether a setting is the path of a file with a secret: in a release, one that a Secret brings. */
export function isFile(name: string): boolean {
  return name.endsWith('File')
}

/** The chart's files that are made from the service's settings, and how, from their present text. */
export const chartFiles: Readonly<Record<string, (files: (name: string) => string) => string>> = {
  'settings.json': () =>
    json(
      [...settings].map(([name, { secret }]) => ({
        name,
        value: placeOf(name),
        ...(secret && { secret }),
        ...(isFile(name) && { file: true }),
      })),
    ),
  'values.schema.json': (read) => json(schemaOf(JSON.parse(read('values.schema.json')))),
  'values.yaml': (read) => valuesOf(schemaOf(JSON.parse(read('values.schema.json')))),
}

/** The path of a file of the chart. */
export function chartPath(name: string): URL {
  return new URL(`../helm/key-server/${name}`, import.meta.url)
}

/** The schema with a value for each setting, those made before replaced, and null refused where a value must be. */
function schemaOf(schema: Schema): Schema {
  const ours = Object.entries(schema.properties ?? {}).filter(([, { $comment }]) => $comment !== MADE)
  const single = [...settings.keys()].filter((name) => !(name in grouped))
  const all = [...propertiesOf(single.map((name) => [name, name])), ...groupsOf(), ...ours] as [
    string,
    Schema,
  ][]
  const properties = Object.fromEntries(all.map(([name, part]) => [name, withRequired(part)]))
  const required = Object.keys(properties).filter((name) => name !== 'global')
  return { ...schema, required, properties } as Schema
}

/** Null is refused in another value too, but for what can be empty, and for a whole probe. */
function withRequired(schema: Schema): Schema {
  if (schema.properties === undefined) return schema
  const required = Object.entries(schema.properties)
    .filter(
      ([, { $comment, default: value = '' }]) =>
        $comment === MADE ||
        (typeof value === 'object' ? Array.isArray(value) && value.length > 0 : value !== ''),
    )
    .map(([name]) => name)
  return { ...schema, required } as Schema
}

function groupsOf(): [string, Schema][] {
  return Object.entries(groups).map(([group, { description, values }]) => {
    const properties = Object.fromEntries(propertiesOf(Object.entries(values)))
    return [
      group,
      { $comment: MADE, description, type: 'object', additionalProperties: false, properties } as Schema,
    ]
  })
}

function propertiesOf(values: [value: string, setting: string][]): [string, Schema][] {
  return values.map(([value, name]) => {
    const setting = settings.get(name)
    if (setting === undefined) throw new Error(`${name} is no setting`)
    return [value, propertyOf(name, setting)]
  })
}

function propertyOf(name: string, { secret, description, ...setting }: Setting): Schema {
  if (!secret && !isFile(name)) return { $comment: MADE, description, default: '', ...setting }
  const text = { type: 'string' }
  return {
    $comment: MADE,
    description: `${description}; read from a Secret that exists`,
    type: 'object',
    additionalProperties: false,
    properties: {
      name: { description: "the Secret's name; empty means none", ...text, default: '' },
      key: { description: 'the key in it', ...text, default: flagOf(name.replace(/File$/, '')) },
    },
  } as Schema
}

/** values.yaml: each value with its default, below what the schema says of it. */
function valuesOf(schema: Schema): string {
  const document = new Document(defaultOf(schema))
  document.commentBefore = ` Values of the key-server chart. Made by \`npm run chart\` from values.schema.json.`
  if (isMap(document.contents)) describe(document.contents, schema, true)
  return document.toString({ lineWidth: 0 })
}

function defaultOf({ default: value, properties }: Schema): unknown {
  if (properties === undefined) return value
  return Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, defaultOf(part)]))
}

function describe(map: YAMLMap, { properties = {} }: Schema, top: boolean): void {
  for (const [index, { key, value }] of map.items.entries()) {
    if (!isScalar(key)) continue
    const part = properties[String(key.value)] ?? {}
    key.spaceBefore = top && index > 0
    if (part.description !== undefined) key.commentBefore = ` ${part.description}`
    if (isMap(value)) describe(value, part, false)
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

if (import.meta.main) {
  for (const [name, make] of Object.entries(chartFiles)) {
    writeFileSync(
      chartPath(name),
      make((file) => readFileSync(chartPath(file), 'utf8')),
    )
  }
}
