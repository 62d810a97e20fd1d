import type { FastifyInstance } from 'fastify'
import { formats } from '../src/keys/encodings.ts'
import { MOST_SALTED_BITS } from '../src/keys/salt.ts'
import { fillIn, pageFile, pageHeaders } from '../src/page-files.ts'
import { checksums } from '../src/schemas/key.ts'
import { type Config, RECOMMENDED_SIZE, usualLength } from '../src/schemas/settings.ts'

const STYLES = ['page.css', 'form.css', 'plot.css', 'docs.css']
const SCRIPTS = ['page.js', 'call.js', 'docs.js', 'elements.js', 'odds.js', 'plot.js', 'rotation.js']

const HEADERS = pageHeaders({ trusted: true })

/** `GET /`, where a person makes a key, and the files of all pages. */
export default async function page(app: FastifyInstance): Promise<void> {
  let html: string | undefined
  app.get('/', (_request, reply) => {
    html ??= fillIn(pageFile('index.html'), valuesOf(app.config))
    return reply.type('text/html; charset=utf-8').headers(HEADERS).send(html)
  })
  const serve = (name: string, type: string) =>
    app.get(`/page/${name}`, (_request, reply) =>
      reply.type(`${type}; charset=utf-8`).headers(HEADERS).send(pageFile(name)),
    )
  for (const name of STYLES) serve(name, 'text/css')
  for (const name of SCRIPTS) serve(name, 'text/javascript')
}

/** What the page says of these settings, and what its scripts know of them. */
function valuesOf(config: Config): Record<string, string | number> {
  const { minSize, maxSize, maxCount, maxBatchBytes, unique, authMetrics } = config
  const auth = config.apiKeysFile !== ''
  const number = (value: number) => value.toLocaleString('en')
  const only = (shown: boolean) => (shown ? '' : 'off')
  return {
    settings: JSON.stringify({
      minSize,
      maxSize,
      formats,
      checksums,
      recommended: RECOMMENDED_SIZE,
      unique,
      auth,
      mostBits: config.saltFrom === '' ? null : MOST_SALTED_BITS,
    }),
    length: usualLength(config),
    minSize: number(minSize),
    maxSize: number(maxSize),
    maxCount: number(maxCount),
    maxBatchBytes: number(maxBatchBytes),
    short: unique ? 'none comes twice in a period' : 'random: they can repeat by chance',
    access: auth ? 'who has an API key' : 'everybody who reaches it',
    ifAuth: only(auth),
    ifUnique: only(unique),
    ifOpenMetrics: only(!authMetrics),
  }
}
