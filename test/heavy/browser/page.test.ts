import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { DEFAULT_FORMAT } from '../../../src/keys/encodings.ts'
import { keyPattern } from '../../key-form.ts'
import { expectAccessible, make, origin, soon, visit } from './visit.ts'

const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] }

describe('in a browser', () => {
  test('a click makes a key, another copies it, and nothing is left of it', async (context) => {
    const { page, faults, calls } = await visit(context, await origin(), CLIPBOARD)
    const before = await page.evaluate('history.length')
    await make(page)
    const key = page.locator('#keys')
    await soon(() => key.textContent()).toMatch(keyPattern(16))
    await soon(() => page.getByRole('status').textContent()).toBe('A key was made.')
    expect(calls).toEqual(['POST /key/16'])
    expect(await page.locator('#facts').textContent()).toBe(
      `16 bytes in ${DEFAULT_FORMAT}, 128 bits of entropy.`,
    )
    await page.getByRole('button', { name: 'Copy', exact: true }).click()
    await soon(() => page.getByRole('status').textContent()).toBe('The key was copied.')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await key.textContent())
    const kept = `Promise.all([localStorage.length, sessionStorage.length, document.cookie, indexedDB.databases(),
      caches.keys(), history.length, location.href])`
    expect(await page.evaluate(kept)).toEqual([0, 0, '', [], [], before, page.url()])
    await page.getByRole('button', { name: 'Clear' }).click()
    expect([await key.textContent(), await key.isVisible()]).toEqual(['', false])
    expect(faults).toEqual([])
  })

  test('the keyboard alone makes and copies a key', async (context) => {
    const { page, faults } = await visit(context, await origin(), CLIPBOARD)
    await page.keyboard.press('Tab')
    await page.keyboard.type('24')
    await page.keyboard.press('Enter')
    await soon(() => page.locator('#keys').textContent()).toMatch(keyPattern(24))
    const focused = () =>
      page.evaluate<string>('document.activeElement.id || document.activeElement.textContent')
    const order = [await focused()]
    while (order.at(-1) !== 'copy' && order.length < 20) {
      await page.keyboard.press('Tab')
      order.push(await focused())
    }
    expect(order).toEqual([
      'length',
      '16',
      '24',
      '32',
      '64',
      'format',
      'count',
      'prefix',
      'checksum',
      'make',
      'copy',
    ])
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('Enter')
    await soon(() => page.getByRole('status').textContent()).toBe('The key was copied.')
    expect(faults).toEqual([])
  })

  test('the form makes the call that its line shows', async (context) => {
    const address = await origin()
    const { page, faults, calls } = await visit(context, address)
    await page.getByRole('button', { name: '32', exact: true }).click()
    await page.getByLabel('Format').selectOption('base58')
    await page.getByLabel('Number of keys').fill('25')
    await page.getByLabel('Prefix').fill('acme_')
    await page.getByLabel('Checksum').selectOption('crc32')
    const query = '/key/32?format=base58&count=25&prefix=acme_&checksum=crc32'
    expect(await page.locator('#curl').textContent()).toBe(
      `curl -fsS -X POST '${address.slice(0, -1)}${query}'`,
    )
    await make(page)
    await soon(() => page.locator('#keys').textContent()).toMatch(/^(acme_[0-9A-Za-z]{40,}\n){19}acme_\w+$/)
    expect(await page.locator('#facts').textContent()).toMatch(
      /^Not all is shown here, but all is copied\. 32 bytes each/,
    )
    expect(calls).toEqual([`POST ${query}`])
    expect(faults).toEqual([])
  })

  test.for(['hex', 'base64', 'base64url', 'base32', 'base58'])(
    'a key in %s is shown',
    async (format, context) => {
      const { page } = await visit(context, await origin())
      await page.getByLabel('Format').selectOption(format)
      await make(page)
      await soon(() => page.locator('#facts').textContent()).toBe(
        `16 bytes in ${format}, 128 bits of entropy.`,
      )
    },
  )

  test('raw bytes become a file', async (context) => {
    const { page, faults } = await visit(context, await origin())
    await page.getByLabel('Format').selectOption('raw')
    const download = page.waitForEvent('download')
    await make(page)
    const file = await download
    expect([file.suggestedFilename(), (await readFile(await file.path())).length]).toEqual(['key.bin', 16])
    expect(faults).toEqual([])
  })

  test('a thousand keys of the largest size do not hold the page up', async (context) => {
    const { page } = await visit(context, await origin(), CLIPBOARD)
    await page.getByLabel('Length in bytes').fill('1024')
    await page.getByLabel('Number of keys').fill('1000')
    await make(page)
    await soon(() => page.getByRole('status').textContent()).toBe('1,000 keys were made.')
    expect((await page.locator('#keys').textContent())?.length).toBe(2048)
    await page.getByRole('button', { name: 'Copy all' }).click()
    await soon(() => page.getByRole('status').textContent()).toBe('All keys were copied.')
    expect(await page.evaluate('navigator.clipboard.readText().then((text) => text.length)')).toBe(2_048_999)
  })

  test.for([
    ['Length in bytes', '5000', /from 1 to 1024/],
    ['Length in bytes', '', /from 1 to 1024/],
    ['Length in bytes', '../metrics', /from 1 to 1024/],
    ['Length in bytes', '1e2', /from 1 to 1024/],
    ['Number of keys', '0', /from 1 to 1000/],
    ['Prefix', `<img src=x onerror="alert('1')">`, /1 to 16 of/],
  ] as const)('%s of "%s" is refused in words', async ([label, value, words], context) => {
    const { page, faults } = await visit(context, await origin())
    await page.getByLabel(label).fill(value)
    await make(page)
    const alert = page.getByRole('alert')
    await soon(() => alert.textContent()).toMatch(words)
    const field = page.getByLabel(label)
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await page.locator(':focus').getAttribute('id')).toBe(await field.getAttribute('id'))
    expect(await page.locator('#result').isVisible()).toBe(false)
    await field.fill(label === 'Prefix' ? '' : '16')
    await make(page)
    await soon(() => page.locator('#result').isVisible()).toBe(true)
    expect([await alert.textContent(), await field.getAttribute('aria-invalid')]).toEqual(['', null])
    expect(faults).toEqual([])
  })

  test('a server that is gone is spoken of', async (context) => {
    const { page } = await visit(context, await origin())
    await page.context().setOffline(true)
    await make(page)
    await soon(() => page.getByRole('alert').textContent()).toMatch(/^The server could not be reached/)
  })

  test('the plot has its words as an alternative, and follows the length', async (context) => {
    const { page } = await visit(context, await origin())
    const plot = page.getByRole('img', { name: /odds that two of the keys/ })
    const text = () => page.locator('#plot-text').textContent()
    expect(await plot.isVisible()).toBe(true)
    expect(await text()).toMatch(/logarithmic\. 16 bytes: .* only after 2\.6·10¹⁶ keys/)
    const sixteen = await plot.locator('path.chosen').getAttribute('d')
    await page.getByLabel('Length in bytes').fill('8')
    expect(await text()).toMatch(/8 bytes: .* after 6\.1·10⁶ keys.* Use 16 bytes or more/)
    expect(await plot.locator('path.chosen').getAttribute('d')).not.toBe(sixteen)
    await page.getByLabel('Length in bytes').fill('1024')
    expect(await text()).toMatch(/1,024 bytes: /)
    expect(await plot.locator('text.chosen').textContent()).toBe('1,024 bytes →')
  })

  test('whoever leaves the page finds no key when coming back', async (context) => {
    const address = await origin()
    const { page } = await visit(context, address)
    await make(page)
    await soon(() => page.locator('#keys').textContent()).not.toBe('')
    await page.goto(`${address}livez`)
    await page.goBack()
    expect([await page.locator('#keys').textContent(), await page.locator('#result').isVisible()]).toEqual([
      '',
      false,
    ])
  })

  test('a page that comes back from memory is empty too', async (context) => {
    const { page } = await visit(context, await origin())
    await make(page)
    await soon(() => page.locator('#keys').textContent()).not.toBe('')
    await page.evaluate("dispatchEvent(new Event('pagehide'))")
    expect([await page.locator('#keys').textContent(), await page.locator('#result').isVisible()]).toEqual([
      '',
      false,
    ])
  })

  test('without scripts there is a link that makes a key', async (context) => {
    const { page } = await visit(context, await origin(), { javaScriptEnabled: false })
    expect(await page.locator('form').isVisible()).toBe(false)
    await page.getByRole('link', { name: 'key/16' }).click()
    expect(await page.locator('body').textContent()).toMatch(keyPattern(16))
  })
})

describe('axe finds nothing', () => {
  test.for(['light', 'dark'] as const)('in the %s scheme', async (colorScheme, context) => {
    const { page, faults } = await visit(context, await origin(), { colorScheme })
    await expectAccessible(page)
    await make(page)
    await soon(() => page.locator('#result').isVisible()).toBe(true)
    await expectAccessible(page)
    await page.getByLabel('Number of keys').fill('none')
    await make(page)
    await soon(() => page.getByRole('alert').textContent()).toMatch(/^Invalid count/)
    await expectAccessible(page)
    expect(faults).toEqual([])
  })
})

test.for([320, 390, 1200])('at %d pixels nothing is cut off', async (width, context) => {
  const { page } = await visit(context, await origin(), { viewport: { width, height: 800 } })
  await page.getByLabel('Length in bytes').fill('1024')
  await make(page)
  await soon(() => page.locator('#result').isVisible()).toBe(true)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
})
