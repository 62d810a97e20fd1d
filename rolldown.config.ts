import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'

/** What of swagger-ui-dist is served, and on what terms. */
const VIEWER = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'LICENSE',
  'NOTICE',
]

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
      name: 'pages',
      generateBundle() {
        const copy = (folder: string, names: string[], target: string) => {
          for (const name of names) {
            const source = readFileSync(`${folder}/${name}`)
            this.emitFile({ type: 'asset', fileName: `${target}/${name}`, source })
          }
        }
        copy('src/page', readdirSync('src/page'), 'page')
        copy('node_modules/swagger-ui-dist', VIEWER, 'viewer')
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
