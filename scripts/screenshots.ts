import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openBrowser } from '../test/heavy/browser/chromium.ts'

const FOLDER = join(import.meta.dirname, '../docs/img')
const VIEWPORTS = { wide: { width: 1100, height: 1010 }, phone: { width: 360, height: 760 } }
const SCHEMES = ['light', 'dark'] as const

/** Starts the server as it is built, and returns its address when it listens. */
async function start(flags: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['dist/server.cjs', '-host', '127.0.0.1', '-srv-port', '0', ...flags],
    {
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  for await (const line of createInterface(child.stdout)) {
    const port = /Starting server on port (\d+)/.exec(line)?.[1]
    if (port !== undefined) return { child, address: `http://127.0.0.1:${port}/` }
  }
  throw new Error('the server did not start')
}

const { child, address } = await start(['-drain-time', '0'])
for (const colorScheme of SCHEMES) {
  for (const [name, viewport] of Object.entries(VIEWPORTS)) {
    const browser = await openBrowser(process.env.CHROMIUM ?? '/usr/bin/chromium', { colorScheme, viewport })
    const page = await browser.newPage()
    await page.goto(address)
    await page.getByRole('button', { name: 'Make a key' }).click()
    await page.locator('#result').waitFor()
    await page.screenshot({ path: join(FOLDER, `page-${name}-${colorScheme}.png`) })
    await browser.close()
  }
}
child.kill()
await once(child, 'close')
