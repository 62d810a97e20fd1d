import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readPanels, withVariables } from '../../../bench/lib/dashboard.ts'
import { quickPrometheus } from './examples.ts'
import { startGuardedKeyServer, startPrometheus, startUniqueKeyServer } from './programs.ts'

const RECORDED = resolve(import.meta.dirname, 'kubernetes.txt')

/** Serves what was recorded in a cluster; the CPU time goes on from there, a twentieth of a processor. */
async function startRecording(): Promise<string> {
  const recorded = readFileSync(RECORDED, 'utf8')
  const start = performance.now()
  const server = createServer((_request, response) => {
    const seconds = (performance.now() - start) / 1000
    response.end(
      recorded.replaceAll(/^(container_cpu.*) (\S+)$/gm, (_all, series, value) => {
        return `${series} ${Number(value) + seconds / 20}`
      }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('every panel shows data of a real server', async (context) => {
  const server = await startUniqueKeyServer()
  const guarded = await startGuardedKeyServer()
  const labels = { namespace: 'keys', pod: 'key-server-6b64c94f9d-7x76v', container: 'key-server' }
  const config = quickPrometheus(new URL(server.origin).host, labels)
  const kubernetes = {
    job_name: 'kubernetes',
    honor_labels: true,
    static_configs: [{ targets: [await startRecording()] }],
  }
  const prometheus = await startPrometheus(context, {
    ...config,
    rule_files: [],
    scrape_configs: [...config.scrape_configs, guarded, kubernetes],
  })
  const isEmpty = async (expr: string) => {
    const query = encodeURIComponent(withVariables(expr, '30s'))
    const answer = await fetch(`${prometheus.origin}/api/v1/query?query=${query}`)
    const { data, error } = (await answer.json()) as {
      error?: string
      data?: { result: { value: [number, string] }[] }
    }
    expect(error).toBeUndefined()
    return !data?.result.some(({ value }) => Number.isFinite(Number(value[1])))
  }

  await vi.waitFor(
    async () => {
      for (const path of ['/key/16', '/key/2', '/key/256?count=3', '/key/1024', '/key/0']) {
        await fetch(`${server.origin}${path}`)
      }
      const targets = readPanels().flatMap(({ title, targets }) =>
        targets.map(({ expr }) => ({ title, expr })),
      )
      const empty = await Promise.all(
        targets.map(async (target) => ((await isEmpty(target.expr)) ? [target] : [])),
      )
      expect(empty.flat()).toEqual([])
    },
    { timeout: 60_000, interval: 500 },
  )
})
