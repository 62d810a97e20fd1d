import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ROOT } from '../documents.ts'
import { newFolder, Recorder } from '../helper.ts'
import { keyPattern } from '../key-form.ts'

const run = promisify(execFile)

vi.setConfig({ testTimeout: 300_000 })

/** What a person's shell has of npm's own variables: nothing. */
function cleanEnvironment(path: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(registry|cache))/i.test(name))
  return { ...Object.fromEntries(kept), PATH: path, NODE_OPTIONS: '' }
}

/** The package as `npm pack` makes it. */
async function pack(folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    maxBuffer: 1e8,
  })
  const json = JSON.parse(stdout.slice(stdout.indexOf('\n[') + 1 || stdout.indexOf('[')))
  const [{ filename, files }] = json as [{ filename: string; files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  expect(paths).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'README.md',
      'bin/key-server.cjs',
      'dist/server.cjs',
      'dist/page/index.html',
    ]),
  )
  expect(paths.filter((path) => !/^(bin|dist)\/|^(LICENSE|README\.md|package\.json)$/.test(path))).toEqual([])
  return join(folder, filename)
}

/** A folder on PATH with that Node, and npm beside it. */
async function pathWith(node: string): Promise<string> {
  const folder = join(await newFolder(), 'bin')
  mkdirSync(folder)
  symlinkSync(node, join(folder, 'node'))
  return [folder, process.env.PATH].join(delimiter)
}

test('npx runs the package from its tarball in an empty folder', async () => {
  const [folder, packed] = [await newFolder(), await newFolder()]
  const tarball = await pack(packed)
  const child = spawn(
    'npx',
    [
      '--yes',
      '--package',
      tarball,
      'key-server',
      '-max-size',
      '64',
      '-srv-port',
      '0',
      '-host',
      '127.0.0.1',
      '-drain-time',
      '0',
    ],
    { cwd: folder, env: cleanEnvironment(await pathWith(process.execPath)), stdio: 'pipe', detached: true },
  )
  // npx, its shell and the server.
  const end = (signal: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, signal)
  onTestFinished(() => void (child.exitCode === null && child.signalCode === null && end('SIGKILL')))
  const output = new Recorder()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.write(text))
  }
  const port = await vi.waitFor(
    () => {
      const found = /"Starting server on port (\d+)\.\.\."/.exec(output.text)?.[1]
      if (found === undefined) throw new Error(`not listening: ${output.text}`)
      return found
    },
    { timeout: 240_000, interval: 100 },
  )
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    return [answer.status, await answer.text()] as const
  }
  expect(await get('/key/64')).toEqual([200, expect.stringMatching(keyPattern(64))])
  expect(await get('/key/65')).toEqual([400, 'Invalid key length\n'])
  for (const path of [
    '/',
    '/page/page.js',
    '/docs',
    '/docs/swagger-ui-bundle.js',
    '/openapi.json',
    '/problems/not-found',
  ]) {
    expect((await get(path))[0]).toBe(200)
  }
  const closed = once(child, 'close')
  end('SIGTERM')
  await closed
  expect(readdirSync(folder)).toEqual([])
  expect(output.text).not.toMatch(/warning/i)
})

test('an older Node is told in a sentence what is needed', async ({ skip }) => {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
  const nodes = folders.map((folder) => join(folder, 'node')).filter(existsSync)
  const versions = await Promise.all(
    nodes.map(async (node) => (await run(node, ['--version'])).stdout.trim()),
  )
  const older = nodes.find((_node, index) => Number(versions[index]?.slice(1).split('.')[0]) < 24)
  if (older === undefined) return skip('there is no older Node here; test/version.test.ts pretends to be one')
  const [folder, packed] = [await newFolder(), await newFolder()]
  const options = { cwd: folder, env: cleanEnvironment([dirname(older), process.env.PATH].join(delimiter)) }
  const tried = await run('npx', ['--yes', '--package', await pack(packed), 'key-server'], options).catch(
    (error: { code: number; stderr: string; stdout: string }) => error,
  )
  expect(tried).toMatchObject({ code: 1, stdout: '' })
  expect(tried.stderr).toMatch(/^key-server: Node 24 or later is needed, not v\d+\.\d+\.\d+$/m)
  expect(tried.stderr).not.toMatch(/SyntaxError|^ +at /m)
})
