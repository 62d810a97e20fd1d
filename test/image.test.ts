import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loopbackCertificate } from './certificate.ts'
import { listen, newFolder } from './helper.ts'

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8')

interface Package {
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly cpu?: readonly string[]
}

test('no production dependency is built for one kind of processor, so that an image for another needs no emulation', () => {
  const lock = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')
  const { packages } = JSON.parse(lock) as { packages: Record<string, Package> }
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  expect(production.length).toBeGreaterThan(10)
  expect(
    production.filter(([, { hasInstallScript, cpu }]) => hasInstallScript === true || cpu !== undefined),
  ).toEqual([])
})

test('the image for another processor runs nothing while it is built, and its other stages run on this one', () => {
  const stages = dockerfile.split(/^FROM /m).slice(1)
  expect(stages.at(-1)).not.toMatch(/^RUN /m)
  const bases = stages.slice(0, -1).map((stage) => stage.split(' ')[0])
  expect(bases).toEqual(['--platform=$BUILDPLATFORM', '--platform=$BUILDPLATFORM', 'tests'])
})

describe('the health check', () => {
  const [, ...words] = JSON.parse(/^HEALTHCHECK CMD (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  const check = async (env: Record<string, string>) => {
    const child = spawn(process.execPath, words, { env, stdio: 'ignore' })
    return (await once(child, 'close'))[0]
  }

  test('asks at the port of the settings, and fails where nobody answers', async () => {
    const { app, port } = await listen()
    expect(await check({ SRV_PORT: String(port) })).toBe(0)
    await app.close()
    expect(await check({ SRV_PORT: String(port) })).toBe(1)
  })

  test('speaks TLS where the server does', async () => {
    const folder = await newFolder()
    const [tlsCert, tlsKey] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
    const { cert, key } = await loopbackCertificate()
    await Promise.all([writeFile(tlsCert, cert), writeFile(tlsKey, key)])
    const { port } = await listen({ tlsCert, tlsKey })
    expect(await check({ SRV_PORT: String(port) })).toBe(1)
    expect(await check({ SRV_PORT: String(port), TLS_CERT: tlsCert })).toBe(0)
  })
})
