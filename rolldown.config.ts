import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'

// One file, because at a fifth of a processor every module that Node has to find and read delays readiness; and
// CommonJS, because an import of node:http reads all it exports, with an HTTP client of 12 MB that nothing here uses.
export default defineConfig({
  input: 'src/server.ts',
  platform: 'node',
  logLevel: 'warn',
  // The one client under its known name; fastify-metrics asks for it by its new one.
  resolve: { alias: { '@prometheus-io/client': 'prom-client' } },
  plugins: [
    {
      name: 'page',
      generateBundle() {
        for (const name of readdirSync('src/page')) {
          this.emitFile({ type: 'asset', fileName: `page/${name}`, source: readFileSync(`src/page/${name}`) })
        }
      },
    },
  ],
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    cleanDir: true,
    minify: 'dce-only',
  },
})
