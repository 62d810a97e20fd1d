import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CHART, helm, KUBERNETES } from './chart.ts'

/** The documented call, word for word but for `install`. */
const CALL = [
  ...['template', 'key-server', './key-server-0.1.0.tgz', '--namespace', 'key-server', '--create-namespace'],
  ...['--set', 'image.repository=localhost:5000/key-server', '--set', 'image.tag=latest'],
  ...['--set', 'maxSize=1024', '--set', 'srvPort=1123'],
]

test('the documented call makes what it always made; `vitest -u` if it is to change', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'key-server-package-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  expect(helm(context, ['package', CHART, '--destination', folder])).toMatchObject({ status: 0 })
  const call = CALL.map((word) => word.replace(/^\.\//, `${folder}/`))
  const { status, stdout, stderr } = helm(context, [...call, '--kube-version', KUBERNETES])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  // Helm 3 and 4 leave different numbers of empty lines between documents.
  await expect(`${stdout.replace(/\n+(?=---\n|$)/g, '\n')}`).toMatchFileSnapshot('install.golden.yaml')
})
