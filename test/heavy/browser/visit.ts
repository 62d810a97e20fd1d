import axe from 'axe-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { expect, onTestFinished, type TestContext } from 'vitest'
import { PATIENCE } from '../../helper.ts'
import { needs } from '../../program.ts'
import { startServer } from '../child-server.ts'
import { openBrowser } from './chromium.ts'

/** A page in a browser of its own, and what went wrong there. */
export interface Visit {
  readonly page: Page
  /** Errors in its console, policies violated, and requests to anybody but the server. */
  readonly faults: string[]
  /** The calls for keys that it made: method and path. */
  readonly calls: string[]
}

/** The address of the page of a server of its own with those flags. */
export async function origin(flags: readonly string[] = []): Promise<string> {
  return `http://127.0.0.1:${(await startServer(flags)).port}/`
}

/** Opens an address in a browser that is closed with the test. */
export async function visit(
  context: TestContext,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const browser = await openBrowser(needs('chromium', context), options)
  onTestFinished(() => browser.close())
  const { origin } = new URL(address)
  const page = browser.pages()[0] ?? (await browser.newPage())
  const faults: string[] = []
  const calls: string[] = []
  page.on('console', (message) => {
    const { url } = message.location()
    // A refused call, which the page tells of in words; a browser writes it down all the same.
    const refused = message.text().startsWith('Failed to load resource') && /\/(key\/|rotation$)/.test(url)
    if (message.type() === 'error' && !refused) faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', ({ message }) => faults.push(`error: ${message}`))
  page.on('request', (asked) => {
    const url = new URL(asked.url())
    if (url.protocol.startsWith('http') && url.origin !== origin) faults.push(`request: ${url}`)
    if (url.pathname.includes('/key/')) calls.push(`${asked.method()} ${url.pathname}${url.search}`)
  })
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + e.blockedURI))",
  )
  await page.goto(address)
  return { page, faults, calls }
}

/** Expects of what `read` finds, as soon as it is so. */
export function soon<T>(read: () => T) {
  return expect.poll(read, PATIENCE)
}

/** Makes the key that the form asks for. */
export async function make(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Make a key' }).click()
}

/** Sees that axe finds nothing wrong with a page as it is now. */
export async function expectAccessible(page: Page, without: readonly string[] = []): Promise<void> {
  await page.evaluate(axe.source)
  const rules = JSON.stringify(Object.fromEntries(without.map((rule) => [rule, { enabled: false }])))
  const found = await page.evaluate(
    `axe.run({ rules: ${rules} }).then((r) => r.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html)))`,
  )
  expect(found).toEqual([])
}
