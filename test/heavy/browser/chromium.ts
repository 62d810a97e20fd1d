import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'

/** What keeps a browser from asking anybody but the server under test. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser of its own, with nothing in it, that leaves nothing behind when it is closed. */
export async function openBrowser(
  executablePath: string,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const folder = mkdtempSync(join(tmpdir(), 'key-server-browser-'))
  const browser = await chromium.launchPersistentContext(folder, {
    executablePath,
    args: FLAGS,
    headless: true,
    ...options,
  })
  browser.on('close', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return browser
}
