import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Answers that each client reads as fast as it can, so that both kernels widen its buffers. */
const READ = 3
/** Answers that it asks for then, and does not read. */
const UNREAD = 2
/** Until the server has handed one of those to its kernel, so that the next client finds room. */
const PAUSE_MS = 250
/** How long all are held together in the end. */
const LINGER_MS = 5000
/** Between two tries while the server sheds. */
const RETRY_MS = 20

const [host = '', port = '', path = '', clients = ''] = process.argv.slice(2)
const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

/** A client that reads well. */
async function reader(): Promise<Socket> {
  const socket = connect(Number(port), host)
  socket.on('error', () => undefined)
  for (let read = 0; read < READ; ) {
    socket.write(request)
    if ((await answer(socket)) === 200) read++
    else await sleep(RETRY_MS)
  }
  return socket.pause()
}

/** Whether the server has started. */
async function reachable(): Promise<boolean> {
  const { ok } = await fetch(`http://${host}:${port}/readyz`).catch(() => ({ ok: false }))
  return ok
}

/** Reads one answer; its status. */
async function answer(socket: Socket): Promise<number> {
  let bytes = Buffer.alloc(0)
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    bytes = Buffer.concat([bytes, chunk])
    const head = bytes.indexOf('\r\n\r\n')
    const [, length] = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head)) ?? []
    if (head >= 0 && bytes.length >= head + 4 + Number(length)) return Number(bytes.toString('latin1', 9, 12))
  }
}

while (!(await reachable())) await sleep(RETRY_MS)
const sockets: Socket[] = []
for (let client = 0; client < Number(clients); client++) sockets.push(await reader())
// One after the other: each finds what is free of the budget of bytes, which they would share otherwise.
for (const socket of sockets) {
  for (let asked = 0; asked < UNREAD; asked++) {
    socket.write(request)
    await sleep(PAUSE_MS)
  }
}
await sleep(LINGER_MS)
process.exit()
