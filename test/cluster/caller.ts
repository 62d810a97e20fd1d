// Runs in a pod, as text: what it needs is in its environment, and what it has is Node.
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const { TARGET = '', CALLERS, PAUSE_MS } = process.env
const SECONDS_AT_MOST = 600

const result = { answered: 0, failed: 0, failures: [] as string[] }
let going = true
const stop = () => {
  going = false
}
process.on('SIGUSR2', stop)
setTimeout(stop, SECONDS_AT_MOST * 1000).unref()

function call(agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(TARGET, { agent, timeout: 20_000 }, (answer) => {
      answer.on('error', reject).on('end', () => {
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`answered ${answer.statusCode}`))
      })
      answer.resume()
    })
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer in 20 s')))
  })
}

async function callOnAndOn(agent: Agent | false): Promise<void> {
  while (going) {
    try {
      await call(agent)
      result.answered++
    } catch (error) {
      if (result.failed++ < 20) result.failures.push(`${new Date().toISOString()} ${error}`)
    }
    await sleep(Number(PAUSE_MS))
  }
}

// A service is there before every node knows where its first pod is: what is counted begins with an answer.
while (going) {
  try {
    await call(false)
    break
  } catch {
    await sleep(100)
  }
}
console.log('calling')
// Every other one keeps its connection.
const callers = Array.from({ length: Number(CALLERS) }, (_, index) =>
  callOnAndOn(index % 2 === 0 && new Agent({ keepAlive: true, maxSockets: 1 })),
)
await Promise.all(callers)
console.log(JSON.stringify(result))
process.exit(0)
