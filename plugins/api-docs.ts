import { createReadStream } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { pageFile, pageHeaders, viewerPath } from '../src/page-files.ts'

/** Of swagger-ui-dist. */
const VIEWER = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' }

/** `GET /docs`, where people read and try what `/openapi.json` describes, in a viewer from this server alone. */
export default async function apiDocs(app: FastifyInstance): Promise<void> {
  // The viewer makes markup of its own, which it cleans.
  const headers = pageHeaders({ trusted: false })
  app.get('/docs', (_request, reply) =>
    reply.type('text/html; charset=utf-8').headers(headers).send(pageFile('docs.html')),
  )
  for (const [name, type] of Object.entries(VIEWER)) {
    app.get(`/docs/${name}`, (_request, reply) =>
      reply
        .type(`${type}; charset=utf-8`)
        .headers({ ...headers, 'cache-control': 'public, max-age=3600' })
        // 1.7 MB, not kept for the next one who asks.
        .send(createReadStream(viewerPath(name))),
    )
  }
}
