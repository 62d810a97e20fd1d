import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, type TestContext, test, vi } from 'vitest'
import { type Block, blocksIn, documents, ROOT } from '../documents.ts'
import { newFolder, Recorder } from '../helper.ts'
import { needs } from '../program.ts'
import { newClone } from './clone.ts'

vi.setConfig({ testTimeout: 300_000 })

const PRELUDE = readFileSync(resolve(import.meta.dirname, 'documents.sh'), 'utf8')
/** The exit status of curl for an answer of 400 or more. */
const REFUSED = 22

/** The commands of a block, where `curl …   # 409` is to be refused. */
function commandsOf(document: string, { line, text }: Block): string {
  const commands = text.replaceAll(/^(?=curl .*# 4\d\d)/gm, `refused=${REFUSED} `)
  return `echo '${document}:${line}' >&2\n${commands}`
}

/** The programs that a block calls, each at the beginning of its line. */
function programsOf({ text }: Block): string[] {
  return [...text.matchAll(/^([a-z][a-z-]*) /gm)].map(([, program = '']) => program)
}

/** Ends what is left of the processes that a detached one has started, itself among them. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function runInBash(context: TestContext, script: string, cwd: string) {
  const shell = spawn(needs('bash', context), ['-c', script], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
    detached: true,
  })
  // Also after a shell that failed before it had ended what it started.
  onTestFinished(() => endGroup(shell.pid))
  const output = new Recorder()
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.write(text))
  }
  await once(shell, 'close')
  return { status: shell.exitCode, output: output.text }
}

const runnable = documents
  .map((document) => ({ document, blocks: blocksIn(document).filter(({ mark }) => mark === 'run') }))
  .filter(({ blocks }) => blocks.length > 0)

test('there is something to run', () => {
  expect(runnable.length).toBeGreaterThan(5)
})

test.for(runnable)('the commands of $document work', async ({ document, blocks }, context) => {
  for (const program of blocks.flatMap(programsOf)) needs(program, context)
  const script = [PRELUDE, ...blocks.map((block) => commandsOf(document, block)), 'stop_server'].join('\n')
  const { status, output } = await runInBash(context, script, await newClone())
  expect(status, output).toBe(0)
})

test('promtool reads the queries of the documents', async (context) => {
  const queries = documents.flatMap((document) =>
    blocksIn(document)
      .filter(({ language }) => language === 'promql')
      .flatMap(({ text }) => text.trim().split('\n\n')),
  )
  expect(queries.length).toBeGreaterThan(3)
  const rules = queries.map((expr, index) => ({ record: `query_${index}`, expr }))
  const file = join(await newFolder(), 'rules.json')
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }))
  const { status, stderr } = spawnSync(needs('promtool', context), ['check', 'rules', file], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
})

test('the chart takes the values that the documents give to helm', (context) => {
  const commands = documents
    .flatMap((document) => blocksIn(document))
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', '').match(/^helm .*(install|upgrade).*--set.*$/gm) ?? [])
  expect(commands.length).toBeGreaterThan(10)
  for (const command of commands) {
    const values = command.match(/--set\S* ('[^']*'|\S+)/g)?.join(' ')
    const script = `tag=1; ${needs('helm', context)} template key-server helm/key-server ${values}`
    const { status, stderr } = spawnSync('bash', ['-c', script], { cwd: ROOT, encoding: 'utf8' })
    expect(status, `${command}\n${stderr}`).toBe(0)
  }
})
