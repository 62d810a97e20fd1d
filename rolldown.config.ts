import { defineConfig } from 'rolldown'

// One file, because at a fifth of a processor every module that Node has to find and read delays readiness.
export default defineConfig({
  input: 'src/server.ts',
  platform: 'node',
  logLevel: 'warn',
  output: { dir: 'dist', cleanDir: true, minify: 'dce-only' },
})
