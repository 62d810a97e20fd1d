// Runs in a pod, as text: what it has is Node. It takes every webhook, and says what has come.
import { createServer } from 'node:http'

createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  if (request.method === 'POST') console.log(JSON.stringify({ headers: request.headers, body }))
  response.writeHead(204).end()
}).listen(8080)
