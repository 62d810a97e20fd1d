// Runs in a pod, as text: what it needs is in its environment, and what it has is Node. It takes the keys of a length
// until there are no more, and says which it has received.
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const { TARGET = '', CALLERS, PAUSE_MS } = process.env
const SECONDS_AT_MOST = 600

/** Keys of a call, until too few are left for so many. */
const MOST_KEYS = 16

/** How often in a row each caller is told that there are no more before it believes it: servers still deal from leases. */
const REFUSALS = 40

const keys: string[] = []
/** Calls by status (and what a failure says), or by the error when there was no answer. */
const outcomes: Record<string, number> = {}
/** Keys that were asked for by calls that a server may have answered, without an answer that arrived. */
let unanswered = 0

const deadline = Date.now() + SECONDS_AT_MOST * 1000

function call(count: number): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    // A connection of its own for each call: any pod may get it.
    const request = get(`${TARGET}?count=${count}`, { agent: false, timeout: 20_000 }, (answer) => {
      let body = ''
      answer
        .setEncoding('utf8')
        .on('data', (text) => {
          body += text
        })
        .on('error', reject)
        .on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer in 20 s')))
  })
}

/** Asks for `count` keys and takes what comes; returns what is counted in `outcomes`. */
async function take(count: number): Promise<string> {
  try {
    const { status, body } = await call(count)
    if (status === 409) return '409'
    if (status !== 200) return `${status} ${body.trim()}`
    if (keys.length === 0) console.log('calling')
    keys.push(...body.trimEnd().split('\n'))
    return '200'
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    if (code !== 'ECONNREFUSED') unanswered += count
    return code
  }
}

async function collect(): Promise<void> {
  let count = MOST_KEYS
  let refusals = 0
  while (refusals < REFUSALS && Date.now() < deadline) {
    const outcome = await take(count)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    refusals = outcome === '409' && count === 1 ? refusals + 1 : 0
    if (outcome === '409') count = 1
    await sleep(Number(PAUSE_MS))
  }
}

await Promise.all(Array.from({ length: Number(CALLERS) }, collect))
for (let first = 0; first < keys.length; first += 1000) {
  console.log(`keys ${keys.slice(first, first + 1000).join(' ')}`)
}
console.log(JSON.stringify({ outcomes, unanswered }))
