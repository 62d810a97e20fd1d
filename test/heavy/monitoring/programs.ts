import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'
import { LISTENING, type Listening, startListening } from '../../../bench/lib/listening.ts'
import { loopbackCertificate } from '../../certificate.ts'
import { needs } from '../../program.ts'

/** A folder for the test's own files, with these in it; they are written as JSON, which is YAML. */
function folderWith(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'key-server-monitoring-'))
  onTestFinished(() => rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 100 }))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content))
  return folder
}

/** The service itself, on the given port or a free one. */
export function startKeyServer(port = '0', flags: readonly string[] = []): Promise<Listening> {
  const program = resolve(import.meta.dirname, '../../../src/server.ts')
  return start(
    process.execPath,
    [program, '-srv-port', port, '-host', '127.0.0.1', ...flags],
    /on port (\d+)\.\.\./,
  )
}

/** The service with unique keys, which it rotates and tells nobody of. */
export function startUniqueKeyServer(): Promise<Listening> {
  const store = join(folderWith({}), 'key-server.db')
  return startKeyServer('0', [
    '-unique',
    ...['-store', store],
    ...['-rotate-every', '30'],
    ...['-webhook-urls', 'https://127.0.0.1:9'],
    ...['-webhook-secret', `whsec_${'A'.repeat(32)}`],
  ])
}

/** The service with API keys, rate limits that it shares by nothing that answers, and TLS: how to scrape it as the job key-server. */
export async function startGuardedKeyServer(): Promise<object> {
  const { cert, key } = await loopbackCertificate()
  const folder = folderWith({ 'keys.json': { keys: [] } })
  const [tlsCert, tlsKey] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  writeFileSync(tlsCert, cert)
  writeFileSync(tlsKey, key)
  const server = await startKeyServer('0', [
    ...['-api-keys-file', join(folder, 'keys.json')],
    ...['-rate-limit-address', '1000'],
    ...['-rate-limit-store', 'redis://127.0.0.1:9'],
    ...['-tls-cert', tlsCert],
    ...['-tls-key', tlsKey],
  ])
  const scrape = {
    job_name: 'key-server over TLS',
    scheme: 'https',
    tls_config: { insecure_skip_verify: true },
    static_configs: [{ targets: [new URL(server.origin).host], labels: { job: 'key-server' } }],
  }
  return scrape
}

/** Prometheus with that configuration and the other files beside it. */
export async function startPrometheus(
  context: TestContext,
  config: object,
  files: Readonly<Record<string, unknown>> = {},
): Promise<Listening> {
  const folder = folderWith({ 'prometheus.yml': config, ...files })
  return start(
    needs('prometheus', context),
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    LISTENING,
  )
}

/** Alertmanager with that configuration, on its own. */
export async function startAlertmanager(context: TestContext, config: object): Promise<Listening> {
  const folder = folderWith({ 'alertmanager.yml': config })
  return start(
    needs('prometheus-alertmanager', context),
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--cluster.listen-address=',
    ],
    LISTENING,
  )
}

async function start(program: string, args: readonly string[], port: RegExp): Promise<Listening> {
  const running = await startListening(program, args, port)
  onTestFinished(() => running.stop())
  return running
}
