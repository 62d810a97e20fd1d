import { pino } from 'pino'
import { hashSecret, newSecret } from '../access/api-keys.ts'
import { createApp } from '../app.ts'
import { DEFAULT_FORMAT, keyForm } from '../keys/encodings.ts'
import type { RandomSource } from '../keys/entropy.ts'
import type { Output } from '../log.ts'
import { type Config, usualLength } from '../schemas/settings.ts'
import { MemoryStore } from '../stores/memory.ts'

/** A row of the table that both the tests and the self-test run. */
export interface KeyLengthCase {
  readonly name: string
  /** What stands in the path. */
  readonly length: string
  readonly status: 200 | 400
}

/** The table of key lengths for a server with those settings. */
export function keyLengthCases({ minSize, maxSize }: Config): KeyLengthCase[] {
  return [
    { name: 'Valid key length', length: `${usualLength({ minSize, maxSize })}`, status: 200 },
    { name: 'Zero key length', length: '0', status: 400 },
    { name: 'Negative key length', length: '-1', status: 400 },
    { name: 'Non-numeric key length', length: 'abc', status: 400 },
    { name: 'Maximum valid key length', length: `${maxSize}`, status: 200 },
    { name: 'Exceeds maximum key length', length: `${maxSize + 1}`, status: 400 },
    { name: 'Below minimum key length', length: `${minSize - 1}`, status: 400 },
  ]
}

/** What is wrong with the answer to a case, in words, or undefined when it is as it must be. */
export function difference(
  { length, status }: KeyLengthCase,
  answer: { statusCode: number; body: string },
): string | undefined {
  if (answer.statusCode !== status) return `answered ${answer.statusCode}, must answer ${status}`
  if (status === 400) {
    return answer.body === 'Invalid key length\n'
      ? undefined
      : `must say "Invalid key length", not ${JSON.stringify(answer.body)}`
  }
  return new RegExp(`^${keyForm(Number(length))}$`).test(answer.body)
    ? undefined
    : `is no key of ${length} bytes in ${DEFAULT_FORMAT}: it has ${answer.body.length} characters`
}

/**
 * Runs the table against a server with those settings, in this process and on no port: a line a case.
 * @returns the exit status: 0, or 1 at the first difference.
 */
export async function selfTest(config: Config, output: Output, randomSource?: RandomSource): Promise<number> {
  const secret = newSecret()
  const sha256 = hashSecret(secret).toString('hex')
  // Its calls are its own, not those of a client or an address that others share a limit with.
  const unlimited = { ...config, webhookUrls: '', rateLimitAddress: 0, rateLimitClient: 0 }
  const app = await createApp(unlimited, {
    log: pino({ level: 'error' }, output),
    randomSource,
    store: new MemoryStore(),
    apiKeys: JSON.stringify({ keys: [{ id: 'self-test', sha256, scopes: ['key', 'key:unique'] }] }),
  })
  const headers = { authorization: `Bearer ${secret}` }
  try {
    for (const row of keyLengthCases(config)) {
      const found = difference(row, await app.inject({ url: `/key/${row.length}`, headers }))
      output.write(
        `${found === undefined ? 'ok    ' : 'FAILED'} ${row.name}: /key/${row.length} ${found ?? row.status}\n`,
      )
      if (found !== undefined) return 1
    }
    return 0
  } finally {
    await app.close()
  }
}
