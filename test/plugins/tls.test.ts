import { writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { connect, type PeerCertificate, type SecureVersion, type TLSSocket } from 'node:tls'
import { describe, expect, test, vi } from 'vitest'
import { checkTlsPair } from '../../src/access/tls-pair.ts'
import { accessProblems } from '../../src/settings/access.ts'
import { loopbackCertificate } from '../certificate.ts'
import { listen, newFolder, PATIENCE, Recorder, scrape, settings } from '../helper.ts'
import { keyPattern } from '../key-form.ts'
import { converse, request } from '../tcp.ts'

const [first, second, expired] = await Promise.all([
  loopbackCertificate(),
  loopbackCertificate(),
  loopbackCertificate(new Date('2020-01-01')),
])

async function filesOf({ cert, key }: { cert: string; key: string }) {
  const folder = await newFolder()
  const tlsCert = join(folder, 'tls.crt')
  const tlsKey = join(folder, 'tls.key')
  const write = async (pair: { cert: string; key: string }) => {
    await writeFile(tlsCert, pair.cert)
    await writeFile(tlsKey, pair.key)
  }
  await write({ cert, key })
  return { tlsCert, tlsKey, write }
}

function call(port: number, path: string, ca: string, method = 'GET') {
  return new Promise<{ status: number | undefined; body: string; hsts: string | undefined }>(
    (resolve, reject) => {
      get({ host: '127.0.0.1', port, path, ca, method, agent: false }, (answer) => {
        const hsts = answer.headers['strict-transport-security']
        text(answer).then((body) => resolve({ status: answer.statusCode, body, hsts }), reject)
      }).on('error', reject)
    },
  )
}

function certificateOf(port: number): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    }).on('error', reject)
  })
}

describe('a certificate and a key', () => {
  test.for<[string, string, string, RegExp]>([
    ['that do not fit', first.cert, second.key, /^the key is not that of the certificate$/],
    ['of which one has expired', expired.cert, expired.key, /^the certificate has expired on 2020-01-01$/],
    ['cut short', first.cert.slice(0, 200), first.key, /^the certificate is not in PEM$/],
    ['with a key cut short', first.cert, first.key.slice(0, 60), /^the key is not in PEM/],
    ['the wrong way round', first.key, first.cert, /^the certificate is not in PEM$/],
    ['that are empty', '', '', /^the certificate is not in PEM$/],
  ])('%s are refused', ([, cert, key, sentence]) => {
    expect(() => checkTlsPair(cert, key)).toThrow(sentence)
  })

  test('are refused in the settings', async () => {
    const { tlsCert, tlsKey } = await filesOf({ cert: first.cert, key: second.key })
    const problemsOf = (files: { tlsCert?: string; tlsKey?: string }) => accessProblems(settings(files))
    expect(problemsOf({ tlsCert, tlsKey })).toEqual([
      '-tls-cert (TLS_CERT): the key is not that of the certificate',
    ])
    const sentence = '-tls-cert (TLS_CERT) and -tls-key (TLS_KEY) go together: one of them is missing'
    expect([problemsOf({ tlsCert }), problemsOf({ tlsKey })]).toEqual([[sentence], [sentence]])
    const good = await filesOf(first)
    expect(problemsOf({ tlsCert: good.tlsCert, tlsKey: good.tlsKey })).toEqual([])
  })
})

describe('with TLS', { timeout: 60_000 }, () => {
  test('every answer comes over it, and tells browsers to come back with it', async () => {
    const { tlsCert, tlsKey } = await filesOf(first)
    const { app, port } = await listen({ tlsCert, tlsKey })
    const hsts = 'max-age=31536000'
    const calls = ['/key/16', '/key/0', '/livez', '/metrics', '/nothing', '/%zz']
    const answers = calls.map((path) => call(port, path, first.cert))
    expect((await Promise.all(answers)).map((answer) => [answer.status, answer.hsts])).toEqual(
      [200, 400, 200, 200, 404, 400].map((status) => [status, hsts]),
    )
    expect((await call(port, '/key/16', first.cert, 'POST')).body).toMatch(keyPattern(16))
    const expiry = (await scrape(app)).get('tls_certificate_expiry_timestamp_seconds')
    expect(expiry).toBe(Date.parse((await certificateOf(port)).valid_to) / 1000)
  })

  test.for<[SecureVersion, string | undefined]>([
    ['TLSv1', undefined],
    ['TLSv1.1', undefined],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3'],
  ])('%s is spoken if it is 1.2 or later', async ([version, spoken]) => {
    const { tlsCert, tlsKey } = await filesOf(first)
    const { port } = await listen({ tlsCert, tlsKey })
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
    const found = await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, ca: first.cert, ...options }, () => {
        resolve(socket.getProtocol())
        socket.destroy()
      }).on('error', () => resolve(undefined))
    })
    expect(found).toBe(spoken)
  })

  test('a plain request gets nothing, and harms nobody', async () => {
    const { tlsCert, tlsKey } = await filesOf(first)
    const { port } = await listen({ tlsCert, tlsKey })
    expect(await converse(port, request('GET', '/key/16'))).not.toContain('200')
    expect((await call(port, '/key/16', first.cert)).status).toBe(200)
  })

  test('a changed certificate is taken up, and a broken one is not', async () => {
    const { tlsCert, tlsKey, write } = await filesOf(first)
    const log = new Recorder()
    const { app, port } = await listen({ tlsCert, tlsKey }, { log })
    const healthy = async () => (await scrape(app)).get('tls_files_healthy')
    const before = (await certificateOf(port)).fingerprint256
    await write(second)
    await vi.waitFor(
      async () => expect((await certificateOf(port)).fingerprint256).not.toBe(before),
      PATIENCE,
    )
    const after = (await certificateOf(port)).fingerprint256

    for (const broken of [expired, { cert: first.cert, key: second.key }]) {
      await write(second)
      await vi.waitFor(async () => expect(await healthy()).toBe(1), PATIENCE)
      await write(broken)
      await vi.waitFor(async () => expect(await healthy()).toBe(0), PATIENCE)
      expect((await certificateOf(port)).fingerprint256).toBe(after)
    }
    expect(log.text).toContain('The TLS files can')
    expect(log.text).not.toContain('PRIVATE KEY')
  })
})

test('without TLS no answer speaks of it', async () => {
  const { app } = await listen()
  expect((await app.inject('/key/16')).headers['strict-transport-security']).toBeUndefined()
})
