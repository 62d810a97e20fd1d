import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { newClone } from './clone.ts'

const run = promisify(execFile)

vi.setConfig({ testTimeout: 300_000 })

/** A committed clone whose changelog has these lines to release, and whose tests leave a file and pass. */
async function cloneWith(unreleased: string) {
  const folder = await newClone()
  const person = { NAME: 'A test', EMAIL: 'test@example.org' }
  const identity = Object.entries(person).flatMap(([name, value]) => [
    [`GIT_AUTHOR_${name}`, value],
    [`GIT_COMMITTER_${name}`, value],
  ])
  const env = { ...process.env, ...Object.fromEntries(identity) }
  const inFolder = async (program: string, ...args: string[]) =>
    (await run(program, args, { cwd: folder, env, maxBuffer: 1e8 })).stdout
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const rewrite = (file: string, change: (text: string) => string) =>
    writeFileSync(join(folder, file), change(read(file)))
  rewrite('CHANGELOG.md', (text) =>
    text.replace(/^## \[Unreleased\]\n[\s\S]*?(?=^## |(?![\s\S]))/m, `## [Unreleased]\n\n${unreleased}`),
  )
  rewrite('package.json', (text) => text.replace(/"test": ".*"/, '"test": "echo > tested"'))
  await inFolder('git', 'init', '--quiet', '--initial-branch', 'main')
  writeFileSync(join(folder, '.git/info/exclude'), 'tested\n')
  await inFolder('git', 'add', '--all')
  await inFolder('git', 'commit', '--quiet', '--message', 'All')
  return { inFolder, read, tested: () => existsSync(join(folder, 'tested')) }
}

test('a release in one command gives all that has a version the same', async () => {
  const entry = `### Fixed\n\n- What key-server-${packageJson.version} did.\n`
  const { inFolder, read, tested } = await cloneWith(entry)
  await inFolder('npm', 'version', 'minor', '--message', 'Release %s')
  const { version } = JSON.parse(read('package.json'))
  expect([version === packageJson.version, tested()]).toEqual([false, true])
  expect(await inFolder('git', 'log', '--format=%s %D', '--max-count=1')).toContain(
    `Release ${version} HEAD -> main, tag: v${version}`,
  )
  expect(JSON.parse(read('package-lock.json')).version).toBe(version)
  expect(parse(read('helm/key-server/Chart.yaml'))).toMatchObject({ version, appVersion: version })
  expect(read('Dockerfile')).toContain(`ARG VERSION=${version}\n`)
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## \\[${version}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm'))
  expect(read('CHANGELOG.md')).toContain(`key-server-${packageJson.version}`)
  const old = ['grep', '--fixed-strings', `key-server-${packageJson.version}`, '--', '.', ':!CHANGELOG.md']
  expect(await inFolder('git', ...old).catch(({ stdout }: { stdout: string }) => stdout)).toBe('')
  await inFolder('npm', 'run', 'docs')
  await inFolder('npm', 'run', 'manifest')
  expect(await inFolder('git', 'status', '--porcelain')).toBe('')
})

test('a release of nothing is refused before a test has run, and changes nothing', async () => {
  const { inFolder, tested } = await cloneWith('')
  const commit = await inFolder('git', 'rev-parse', 'HEAD')
  await expect(inFolder('npm', 'version', 'minor')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^nothing is released: CHANGELOG\.md has no entry below \[Unreleased\]$/m),
  })
  expect(tested()).toBe(false)
  expect(await inFolder('git', 'status', '--porcelain')).toBe('')
  expect(await inFolder('git', 'rev-parse', 'HEAD')).toBe(commit)
  expect(await inFolder('git', 'tag')).toBe('')
})
