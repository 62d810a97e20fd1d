import type { ServerResponse } from 'node:http'
import { Server } from 'node:https'
import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import { checkTlsPair, type TlsPair } from '../src/access/tls-pair.ts'
import { watchFiles } from '../src/access/watched-files.ts'
import { registerScraped } from '../src/metrics/scraped-metrics.ts'

/** Takes the certificate and its key up again when their files change; the connections there are go on. */
export default fp<{ log: FastifyBaseLogger }>(
  async (app, { log }) => {
    const { server, registry } = app
    const { tlsCert, tlsKey } = app.config
    if (!(server instanceof Server)) return
    // Each answer, those past Fastify too: for browsers, which then come back with TLS alone (RFC 6797).
    server.prependListener('request', (_request, response: ServerResponse) => {
      response.setHeader('strict-transport-security', 'max-age=31536000')
    })
    const state = { expires: 0, sound: true }
    const take = ([cert = '', key = '']: string[]) => {
      const pair: TlsPair = checkTlsPair(cert, key)
      server.setSecureContext(pair)
      Object.assign(state, { expires: pair.expires, sound: true })
      log.info(`The certificate in use expires on ${new Date(pair.expires).toISOString().slice(0, 10)}`)
    }
    const failed = ({ message }: Error) => {
      state.sound = false
      log.error(`The TLS files can't be used, so that the certificate before stays in use: ${message}`)
    }
    const stop = watchFiles([tlsCert, tlsKey], take, failed)
    app.addHook('onClose', async () => stop())

    const expiry = 'When the certificate in use expires, in seconds of Unix time'
    registerScraped(registry, 'gauge', 'tls_certificate_expiry_timestamp_seconds', expiry, () => [
      { value: state.expires / 1000 },
    ])
    const help = '0 while the TLS files are broken and the certificate before them is in use'
    registerScraped(registry, 'gauge', 'tls_files_healthy', help, () => [{ value: state.sound ? 1 : 0 }])
  },
  { name: 'tls', fastify: '5.x', dependencies: ['metrics'] },
)
