import type { FastifyInstance } from 'fastify'
import { pageFile, pageHeaders, viewerFile } from '../src/page-files.ts'

/** Of swagger-ui-dist. */
const VIEWER = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' }

/** `GET /openapi.json`, and `GET /docs`, where people read and try what it describes, in a viewer from this server alone. */
export default async function apiDocs(app: FastifyInstance): Promise<void> {
  app.get('/openapi.json', async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(await app.describeApi()),
  )
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
        // Of 1.7 MB, all who ask and do not read share the one that is in memory.
        .send(viewerFile(name)),
    )
  }
}
