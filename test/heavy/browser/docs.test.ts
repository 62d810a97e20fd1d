import { describe, expect, test } from 'vitest'
import { DEFAULT_FORMAT, keyForm } from '../../../src/keys/encodings.ts'
import { guide } from '../../../src/problems/guide.ts'
import { expectAccessible, origin, soon, visit } from './visit.ts'

describe('the documentation in a browser', () => {
  test('shows every call, and breaks no rule of its own policy', async (context) => {
    const { page, faults } = await visit(context, `${await origin()}docs`)
    const calls = page.locator('.opblock-summary-path')
    await soon(() => calls.count()).toBe(9)
    expect(await page.locator('.opblock-summary-method').allTextContents()).toEqual(
      expect.arrayContaining(['GET', 'POST', 'HEAD']),
    )
    expect(faults).toEqual([])
  })

  test('has nothing that axe finds, but for the viewer’s own headings and regions', async (context) => {
    const { page } = await visit(context, `${await origin()}docs`)
    await page.locator('.opblock').first().waitFor()
    await expectAccessible(page, ['heading-order', 'region'])
  })

  test('tries a call', async (context) => {
    const { page, faults, calls } = await visit(context, `${await origin()}docs`)
    const operation = page.locator('#operations-keys-getKeys')
    await operation.locator('.opblock-summary-control').click()
    await operation.getByRole('button', { name: 'Execute' }).click()
    await soon(() => operation.locator('.live-responses-table .microlight').first().textContent()).toMatch(
      new RegExp(keyForm(16)),
    )
    expect(calls.filter((call) => call.includes('/key/'))).toEqual([`GET /key/16?format=${DEFAULT_FORMAT}`])
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0)
    expect(faults).toEqual([])
  })
})

describe('the page of a problem', () => {
  test.for(['light', 'dark'] as const)(
    'has nothing that axe finds, in the %s scheme',
    async (colorScheme, context) => {
      const { page, faults } = await visit(context, `${await origin()}problems/keyspace-exhausted`, {
        colorScheme,
      })
      await expectAccessible(page)
      expect(faults).toEqual([])
    },
  )

  test('is what the page at / leads to, and leads back', async (context) => {
    const address = await origin()
    const { page, faults } = await visit(context, address)
    await page.getByLabel('Length in bytes').fill('0')
    await page.getByRole('button', { name: 'Make a key' }).click()
    await page.getByRole('link', { name: 'What this means' }).click()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Invalid key length')
    await page.getByRole('link', { name: 'Make a key' }).click()
    expect(page.url()).toBe(address)
    expect(faults).toEqual([])
  })

  test('is there for each', async (context) => {
    const { page } = await visit(context, await origin())
    for (const { type } of guide) {
      expect((await page.request.get(new URL(type, page.url()).href)).status()).toBe(200)
    }
  })
})
