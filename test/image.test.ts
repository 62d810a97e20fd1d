import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

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
  const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8')
  const stages = dockerfile.split(/^FROM /m).slice(1)
  expect(stages.at(-1)).not.toMatch(/^RUN /m)
  const bases = stages.slice(0, -1).map((stage) => stage.split(' ')[0])
  expect(bases).toEqual(['--platform=$BUILDPLATFORM', '--platform=$BUILDPLATFORM', 'tests'])
})
