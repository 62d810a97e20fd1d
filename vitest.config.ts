import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/heavy/**'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'heavy', include: ['test/heavy/**/*.test.ts'], testTimeout: 120_000 } },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'plugins/**'],
      reporter: ['text-summary'],
      thresholds: { lines: 95 },
    },
  },
})
