import { expect, onTestFinished, test, vi } from 'vitest'
import { buildApp, settings } from '../helper.ts'

test('an app has the settings that it was made with', async () => {
  const overrides = { minSize: 16, maxSize: 64, srvPort: 0, host: '::1', logRequests: true }
  expect((await buildApp()).config).toEqual(settings())
  expect((await buildApp(overrides)).config).toEqual(settings(overrides))
})

test('nothing else changes them', async () => {
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  vi.stubEnv('MAX_SIZE', '5')
  vi.stubEnv('maxSize', '6')
  expect((await buildApp()).config).toEqual(settings())
})

test('settings that break their schema make no app', async () => {
  await expect(buildApp({ maxSize: 0 })).rejects.toThrow('maxSize must be >= 1')
})
