import type { FastifyInstance } from 'fastify'

export type Samples = Map<string, number>

/** The buckets of a histogram as `le` and count, in the order of the scrape. */
export function bucketsOf(samples: Samples, name: string, labels = ''): [le: string, count: number][] {
  return [...samples].flatMap(([sample, count]) => {
    const le = /le="([^"]*)"/.exec(sample)?.[1]
    return le !== undefined && sample.startsWith(`${name}_bucket{`) && sample.includes(labels)
      ? [[le, count]]
      : []
  })
}

export async function call(app: FastifyInstance, times: number, url: string): Promise<void> {
  for (let made = 0; made < times; made++) await app.inject(url)
}
