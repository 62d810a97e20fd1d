import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'
import { LISTENING, type Listening, startListening } from '../../../bench/lib/listening.ts'
import { needs } from '../../program.ts'

/** A folder for the test's own files, with these in it; they are written as JSON, which is YAML. */
function folderWith(files: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'key-server-monitoring-'))
  onTestFinished(() => rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 100 }))
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), JSON.stringify(content))
  return folder
}

/** The service itself, on the given port or a free one, with unique keys, which it rotates and tells nobody of, if that is wanted. */
export function startKeyServer(port = '0', unique = false): Promise<Listening> {
  const program = resolve(import.meta.dirname, '../../../src/server.ts')
  const settings = [
    ['-store', join(folderWith({}), 'key-server.db')],
    ['-rotate-every', '30'],
    ['-webhook-urls', 'https://127.0.0.1:9'],
    ['-webhook-secret', `whsec_${'A'.repeat(32)}`],
  ]
  const flags = unique ? ['-unique', ...settings.flat()] : []
  return start(
    process.execPath,
    [program, '-srv-port', port, '-host', '127.0.0.1', ...flags],
    /on port (\d+)\.\.\./,
  )
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
