import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'fflate'
import { create } from 'tar'

const HELM = join(import.meta.dirname, '../helm')

/** Where the manifest is. */
export const manifestPath = join(HELM, 'key-server-helmchart.yaml')

/** A HelmChart for k3s with the chart in it: the same bytes for the same chart, on any machine and day. */
export function manifest(): string {
  return `# Made by \`npm run manifest\`: the chart itself is the long line at the end. Edit what stands below valuesContent.
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: key-server
  namespace: kube-system
spec:
  targetNamespace: key-server
  createNamespace: true
  # The default, reinstall, would take the running pods down after an upgrade that failed.
  failurePolicy: abort
  backOffLimit: 5
  valuesContent: |
    image:
      repository: localhost:5000/key-server
      # A new tag for each image: one pushed again under the same tag rolls nothing out.
      tag: latest
    maxSize: 1024
    minSize: 1
    srvPort: 1123
    replicaCount: 1
  chartContent: ${packChart().toString('base64')}
`
}

/** The chart as helm takes it: a .tgz with files in a fixed order, of one time and mode. */
export function packChart(): Buffer {
  const files = readdirSync(join(HELM, 'key-server'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(HELM.length + 1))
    .sort()
  const archive = create(
    {
      cwd: HELM,
      portable: true,
      mtime: new Date(0),
      // A checkout's modes are its owner's umask.
      onWriteEntry: ({ stat }) => {
        if (stat !== undefined) stat.mode = 0o100_644
      },
      sync: true,
    },
    files,
  ).read()
  if (archive === null) throw new Error(`no chart in ${HELM}`)
  // Node's own gzip gives other bytes on another kind of processor.
  return Buffer.from(gzipSync(archive, { level: 9, mtime: 0 }))
}

if (import.meta.main) writeFileSync(manifestPath, manifest())
