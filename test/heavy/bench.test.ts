import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Cgroup } from '../../bench/lib/cgroup.ts'
import { findPeers } from '../../bench/lib/peers.ts'
import { listen, PATIENCE } from '../helper.ts'

// These see that the bench works. No time that it measures makes a test pass or fail.
const node = process.execPath

function resultFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'key-server-bench-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The processes that have `mark` in their environment and `words` in their command line. */
function processesWith(mark: string, words = ''): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8')
      return read('environ').includes(mark) && read('cmdline').includes(words)
    } catch {
      return false
    }
  })
}

function bench(script: string, ...args: string[]) {
  return spawnSync(node, [`bench/${script}.ts`, ...args], { encoding: 'utf8' })
}

describe('npm run bench -- --quick', () => {
  test('prints the ratio to each peer and keeps JSON, a table and a plot', { timeout: 400_000 }, () => {
    const folder = resultFolder()
    const { status, stdout, stderr } = bench('compare', '--quick', '--rounds', '2', '--out', folder)
    expect(stderr).toContain('32 bytes: round 2 of 2')
    expect(status).toBe(0)
    for (const peer of ['Go', 'node:http', 'fastify-metrics', 'Fastify, a constant']) {
      expect(stdout).toMatch(new RegExp(`\\| 32 bytes \\| ${peer} \\| \\*\\*[0-9.]+\\*\\* `))
    }
    const { made, results } = JSON.parse(readFileSync(join(folder, 'compare.json'), 'utf8'))
    expect(made).toMatch(/complete\.$/)
    expect(results).toHaveLength(17)
    expect(readFileSync(join(folder, 'compare.svg'), 'utf8')).toMatch(/^<svg .*node:http.*<\/svg>\n$/s)
  })

  test('that is interrupted keeps what it has, as partial, and leaves no server and no file', {
    timeout: 120_000,
  }, async () => {
    const folder = resultFolder()
    const temporary = resultFolder()
    const mark = randomUUID()
    const env = { ...process.env, BENCH_MARK: mark, TMPDIR: temporary }
    const child = spawn(node, ['bench/compare.ts', '--quick', '--out', folder], { env })
    let progress = ''
    child.stderr.on('data', (text) => {
      progress += text
      if (progress.includes('round 2')) child.kill('SIGINT')
    })
    const [status] = await once(child, 'exit')
    expect(status).toBe(130)
    const { made, results } = JSON.parse(readFileSync(join(folder, 'compare.json'), 'utf8'))
    expect(made).toContain('partial: interrupted')
    expect(results[0].runs).not.toEqual([])
    expect(processesWith(mark)).toEqual([])
    expect(readdirSync(temporary)).toEqual([])
  })

  test('tells which server ended while it was measured, and leaves none of the others', {
    timeout: 120_000,
  }, async () => {
    const folder = resultFolder()
    const mark = randomUUID()
    const env = { ...process.env, BENCH_MARK: mark }
    const child = spawn(node, ['bench/compare.ts', '--quick', '--out', folder], { env })
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
      if (!said.includes('round 2')) return
      const [victim] = processesWith(mark, 'peers/bare.ts')
      if (victim !== undefined) process.kill(Number(victim), 'SIGKILL')
    })
    const [status] = await once(child, 'exit')
    expect(status).toBe(1)
    const { made, results } = JSON.parse(readFileSync(join(folder, 'compare.json'), 'utf8'))
    expect(made).toContain('partial: node:http ended (SIGKILL) while it was measured')
    expect(results[0].runs).not.toEqual([])
    expect(processesWith(mark)).toEqual([])
  })

  test('without Go leaves its peer out by name', () => {
    const folder = resultFolder()
    symlinkSync('/bin/sh', join(folder, 'sh'))
    vi.stubEnv('PATH', folder)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { peers, missing } = findPeers()
    expect(peers.map(({ name }) => name)).toEqual(['node:http', 'fastify-metrics'])
    expect(missing).toEqual(['Go peer left out: there is no go program on this machine'])
  })

  test.for([
    ['--rounds', '0'],
    ['--seconds', 'x'],
    ['--out', '/dev/null'],
    ['--no-such-flag', ''],
  ] as const)('refuses %s "%s" with a sentence', ([flag, value]) => {
    const { status, stderr } = bench('compare', flag, ...(value === '' ? [] : [value]))
    expect([status, stderr]).toEqual([2, expect.stringContaining(flag.slice(2))])
  })
})

describe('npm run bench:capacity -- --quick', () => {
  test('says what to do where a cgroup can not be made', () => {
    const limits = { milliCpu: 200, memoryMiB: 128 }
    expect(() => Cgroup.create('no-such-group/pod', limits)).toThrow(
      /^a cgroup can't be made here \(.*\): run as root, or start the server in one yourself/,
    )
  })

  test('prints what one pod carries', { timeout: 300_000 }, () => {
    const { status, stdout, stderr } = bench('capacity', '--quick', '--out', resultFolder())
    if (process.getuid?.() !== 0) {
      expect([status, stderr]).toEqual([1, expect.stringContaining('run as root')])
      return
    }
    expect(status).toBe(0)
    expect(stdout).toMatch(/\| 32 bytes \| [0-9,]+ \|/)
    expect(stdout).toContain('estimates 13 requests a second')
    expect(stdout).toMatch(/\| 1000 connections \| [0-9.]+ \|/)
    expect(stdout).toContain('Killed for memory: 0 times')
  })
})

describe('a server that is already running', () => {
  test.for(['load', 'stress', 'idle'])(
    'is given %s, with percentiles in the summary',
    { timeout: 60_000 },
    async (mode) => {
      const { origin } = await listen()
      const connections = mode === 'idle' ? [] : ['--connections', '2']
      const flags = ['--url', `${origin}/key/32`, '--seconds', '2', ...connections]
      const child = spawn(node, ['bench/load.ts', mode, ...flags])
      let summary = ''
      child.stdout.on('data', (text) => {
        summary += text
      })
      expect(await once(child, 'close')).toEqual([0, null])
      expect(summary).toMatch(/p50 ms \| p95 ms \| p99 ms/)
      expect(summary.trim().split('\n').length).toBeGreaterThan(2)
    },
  )

  test('that is not there is said so', () => {
    const { status, stderr } = bench('load', 'load', '--url', 'http://127.0.0.1:9/key/32')
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('nothing answers at http://127.0.0.1:9/key/32'),
    ])
  })

  test.for(['load', 'stress'])(
    'and ends during %s is said so, after what was measured',
    { timeout: 60_000 },
    async (mode) => {
      const { app, origin } = await listen()
      const flags = ['--url', `${origin}/key/32`, '--seconds', '4', '--connections', '2']
      const child = spawn(node, ['bench/load.ts', mode, ...flags])
      const said = { stdout: '', stderr: '' }
      for (const stream of ['stdout', 'stderr'] as const) {
        child[stream].on('data', (text) => {
          said[stream] += text
        })
      }
      await vi.waitFor(async () => {
        const { payload } = await app.inject('/metrics')
        expect(Number(/^keys_generated_total (\d+)$/m.exec(payload)?.[1])).toBeGreaterThan(100)
      }, PATIENCE)
      app.server.close()
      app.server.closeAllConnections()
      expect(await once(child, 'close')).toEqual([1, null])
      expect(said.stdout).toMatch(/p99 ms \|\n.*\n\| [12] \| .*\n\npartial: /)
      expect(said.stderr).toMatch(/nothing answers at|unable to connect/)
    },
  )

  test('is not followed to where it redirects, and needs metrics to be idle', async () => {
    const server = createServer(({ url }, response) => {
      if (url === '/key/32') response.end('0'.repeat(64))
      else response.writeHead(302, { location: '/key/32' }).end()
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const run = async (mode: string, path: string) => {
      const child = spawn(node, ['bench/load.ts', mode, '--url', origin + path, '--seconds', '1'])
      const stderr = text(child.stderr)
      return [(await once(child, 'close'))[0], await stderr]
    }
    expect(await run('load', '/elsewhere')).toEqual([1, expect.stringContaining('answers 302')])
    expect(await run('idle', '/key/32')).toEqual([1, expect.stringContaining('process_cpu_seconds_total')])
  })

  test.for([
    ['stress', '--rate', '5'],
    ['idle', '--connections', '5'],
  ])('refuses %s with %s', ([mode = '', ...flags]) => {
    const { status, stderr } = bench('load', mode, ...flags)
    expect([status, stderr]).toEqual([2, `${flags[0]} does not go with ${mode}\n`])
  })

  test('is not needed for help', () => {
    const { status, stdout } = bench('load', 'load', '--help')
    expect([status, stdout]).toEqual([0, expect.stringContaining('--url URL')])
  })

  test.for([
    ['--seconds', '0'],
    ['--connections', '1e3'],
    ['--url', 'ftp://x'],
    ['--url', 'httpx://x'],
    ['--no-such-flag', '1'],
  ] as const)('is refused %s %s with a sentence', ([flag, value]) => {
    const { status, stderr } = bench('load', 'load', flag, value)
    expect([status, stderr]).toEqual([2, expect.stringContaining(flag)])
  })
})

describe('npm run bench:store', () => {
  test('prints what the file store costs, and leaves nothing behind', () => {
    const folder = resultFolder()
    const { status, stdout } = bench('store', '--swaps', '5', '--folder', folder)
    expect(status).toBe(0)
    expect(stdout).toMatch(/\| swap, a state of 1 kB \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|/)
    expect(readdirSync(folder)).toEqual([])
  })

  test('refuses --swaps "0" with a sentence', () => {
    const { status, stderr } = bench('store', '--swaps', '0')
    expect([status, stderr]).toEqual([2, expect.stringContaining('--swaps')])
  })
})
