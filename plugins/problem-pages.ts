import type { FastifyInstance } from 'fastify'
import { fillIn, pageFile, pageHeaders } from '../src/page-files.ts'
import { NotFound } from '../src/problems/problems.ts'

/** `GET /problems/…`: a page for each problem type, which says what it means and what to do. */
export default async function problemPages(app: FastifyInstance): Promise<void> {
  const headers = pageHeaders({ trusted: true })
  app.get<{ Params: { name: string } }>('/problems/:name', async ({ params }, reply) => {
    const { guide } = await import('../src/problems/guide.ts')
    const problem = guide.find(({ type }) => type === `/problems/${params.name}`)
    if (problem === undefined) throw new NotFound()
    const html = fillIn(pageFile('problem.html'), { ...problem })
    return reply.type('text/html; charset=utf-8').headers(headers).send(html)
  })
}
