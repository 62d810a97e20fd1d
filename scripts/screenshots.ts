import { join } from 'node:path'
import { startListening } from '../bench/lib/listening.ts'
import { openBrowser } from '../test/heavy/browser/chromium.ts'

const FOLDER = join(import.meta.dirname, '../docs/img')
const VIEWPORTS = { wide: { width: 1100, height: 1010 }, phone: { width: 360, height: 760 } }
const SCHEMES = ['light', 'dark'] as const

const flags = ['-host', '127.0.0.1', '-srv-port', '0']
const server = await startListening(process.execPath, ['dist/server.cjs', ...flags], /server on port (\d+)/)
for (const colorScheme of SCHEMES) {
  for (const [name, viewport] of Object.entries(VIEWPORTS)) {
    const browser = await openBrowser(process.env.CHROMIUM ?? '/usr/bin/chromium', { colorScheme, viewport })
    const page = await browser.newPage()
    await page.goto(server.origin)
    await page.getByRole('button', { name: 'Make a key' }).click()
    await page.locator('#result').waitFor()
    await page.screenshot({ path: join(FOLDER, `page-${name}-${colorScheme}.png`) })
    await browser.close()
  }
}
await server.stop()
