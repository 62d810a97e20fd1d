import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A proxy that can stop passing on what was connected, without a word. */
export async function forwardTo(port: number) {
  const pairs: [Socket, Socket][] = []
  let frozen = false
  const proxy: Server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    pairs.push([client, upstream])
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => undefined)
      from.on('close', () => to.destroy())
      from.on('data', (chunk) => {
        if (!frozen) to.write(chunk)
      })
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    proxy.close()
    for (const socket of pairs.flat()) socket.destroy()
  })
  return {
    port: (proxy.address() as AddressInfo).port,
    connections: () => pairs.filter(([client]) => !client.destroyed).length,
    freeze() {
      frozen = true
    },
    thaw() {
      frozen = false
    },
  }
}
