import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasProgram } from './programs.ts'

/** A server to be measured. */
export interface Contestant {
  readonly name: string
  readonly command: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** This server, as it is started for its users, from dist/. */
export const keyServer: Contestant = {
  name: 'key-server',
  command: [process.execPath, `--env-file=${path('../../node.env')}`, path('../../dist/server.cjs')],
}

/** The same with unique keys, accounted for in a file of its own: its keys a second are the ratio times ours. */
export function uniqueKeyServer(): Contestant {
  const store = join(temporaryFolder('key-server-store-'), 'keys.db')
  return { name: 'key-server -unique', command: [...keyServer.command, '-unique', '-store', store] }
}

/** What Fastify costs by itself, with a constant in place of a key of 32 bytes. */
export const constantServer: Contestant = {
  name: 'Fastify, a constant',
  command: [process.execPath, path('../peers/fastify.ts')],
}

/** What it is compared with, and a sentence for each peer that can't be had on this machine. */
export function findPeers(): { peers: Contestant[]; missing: string[] } {
  const node = (file: string) => [process.execPath, path(`../peers/${file}`)]
  const peers: Contestant[] = [
    { name: 'node:http', command: node('bare.ts') },
    { name: 'fastify-metrics', command: node('fastify-metrics.ts') },
  ]
  if (!hasProgram('go'))
    return { peers, missing: ['Go peer left out: there is no go program on this machine'] }
  const program = join(temporaryFolder('key-server-peer-'), 'peer')
  try {
    execFileSync('go', ['build', '-o', program, '.'], { cwd: path('../peers/go'), stdio: 'pipe' })
  } catch (error) {
    return {
      peers,
      missing: [`Go peer left out: it can't be built here (${(error as Error).message.trim()})`],
    }
  }
  return { peers: [{ name: 'Go', command: [program], env: { GOMAXPROCS: '1' } }, ...peers], missing: [] }
}

/** A folder that is removed when this process ends. */
function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}
