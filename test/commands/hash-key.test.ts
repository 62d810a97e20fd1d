import { describe, expect, test } from 'vitest'
import { readApiKeys } from '../../src/access/api-key-file.ts'
import { ApiKeys } from '../../src/access/api-keys.ts'
import { hashKey } from '../../src/commands/hash-key.ts'
import { Recorder } from '../helper.ts'

function run(...words: string[]) {
  const [stdout, stderr] = [new Recorder(), new Recorder()]
  return { status: hashKey(words, stdout, stderr), stdout: stdout.text, stderr: stderr.text }
}

describe('hash-key', () => {
  test.for([
    [[]],
    [['']],
    [['a b']],
    [['a\u001b[2J']],
    [['a', '']],
    [['a', 'root']],
    [['a', 'key', 'tomorrow']],
    [['a', 'key', '2027-01-31', 'more']],
  ] as const)('refuses %j with a sentence and prints no secret', ([words]) => {
    expect(run(...words)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^key-server: [ -~]+\n$/),
    })
  })

  test.for([
    [['team-a'], ['key'], undefined],
    [['team-a', 'key,key:unique,metrics,admin'], ['key', 'key:unique', 'metrics', 'admin'], undefined],
    [['team-a', 'key', '2027-01-31'], ['key'], Date.UTC(2027, 0, 31)],
  ] as const)('of %j prints a secret and the entry that knows it', ([words, scopes, expires]) => {
    const { status, stdout, stderr } = run(...words)
    const [secret = '', entry = '', ...rest] = stdout.split('\n')
    expect([status, rest]).toEqual([0, ['']])
    const keys = readApiKeys(`{"keys":[${entry}]}`)
    expect(keys).toMatchObject([{ id: 'team-a', expires }])
    expect([...(keys[0]?.scopes ?? [])]).toEqual(scopes)
    expect(new ApiKeys(keys).check(secret, 0)).toMatchObject({ id: 'team-a' })
    expect(entry + stderr).not.toContain(secret)
  })
})
