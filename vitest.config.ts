import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/heavy/**', 'test/cluster/**'],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'heavy', include: ['test/heavy/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          // What one file does to the nodes' processors would be the other's load.
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**', 'plugins/**'],
      // Runs in browsers alone: test/heavy/browser/.
      exclude: ['src/page/**'],
      reporter: ['text-summary'],
      thresholds: { lines: 95 },
    },
  },
})
