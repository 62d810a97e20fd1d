import { randomFillSync } from 'node:crypto'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'

// The least that node:http can do for a key: no routing, no checks but the length, no counting.
const { values } = parseArgs({
  options: {
    'max-size': { type: 'string', default: '1024' },
    'srv-port': { type: 'string', default: '1123' },
  },
})
const maxSize = Number(values['max-size'])
const pool = Buffer.alloc(8192)
let next = pool.length

function key(length: number): string {
  if (length > pool.length) return randomFillSync(Buffer.allocUnsafe(length)).toString('hex')
  if (next + length > pool.length) {
    randomFillSync(pool)
    next = 0
  }
  next += length
  return pool.toString('hex', next - length, next)
}

const server = createServer((request, response) => {
  const length = Number(request.url?.slice('/key/'.length))
  if (!(length > 0 && length <= maxSize)) {
    response.writeHead(400).end('Invalid key length\n')
    return
  }
  const body = key(length)
  response
    .writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length })
    .end(body)
})
server.listen(Number(values['srv-port']), '127.0.0.1')
