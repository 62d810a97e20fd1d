import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { Settings } from '../../src/schemas/settings.ts'
import { flagOf, settingsOf, variableOf } from '../../src/settings/settings.ts'
import { usage, version } from '../../src/settings/usage.ts'

describe('the usage text', () => {
  test.for([
    'Usage of key-server:\n',
    '  -max-size int\n    \tmaximum key size (default 1024)\n',
    '  -srv-port int\n    \tserver listening port (default 1123)\n',
    '  -drain-time int\n    \tseconds to go on serving, unready, after a stop signal (default 5)\n',
    '  -host string\n    \taddress to listen on; empty means all interfaces (default "")\n',
    '  -log-requests bool\n    \tlog each request: two lines, and one for keys handed out (default false)\n',
    '  -help\n',
    '  -version\n',
    'self-test',
  ])('has %j', (part) => {
    expect(usage()).toContain(part)
  })

  test('recommends at least 16 bytes, beside the flag that asks for them', () => {
    expect(usage()).toMatch(/^ {2}-min-size int\n.*\b16 is the least\b.*\(default 1\)$/m)
  })

  test.for(settingsOf(Settings))('has %s with its meaning', ([name, { description }]) => {
    expect(usage().split('\n')).toContainEqual(
      expect.stringMatching(`^  -${flagOf(name)}( int| string| bool)$`),
    )
    expect(usage()).toContain(`\n    \t${description}`)
  })

  test('is made of lines, the last one ended too', () => {
    expect(usage()).toMatch(/^Usage.*[^\n]\n$/s)
    expect(usage()).not.toMatch(/ $|undefined/m)
  })
})

test('the version is that of the package', () => {
  expect(version).toBe(`key-server ${packageJson.version}`)
})

test.for([
  ['host', 'host', 'HOST'],
  ['maxSize', 'max-size', 'MAX_SIZE'],
  ['maxBatchBytes', 'max-batch-bytes', 'MAX_BATCH_BYTES'],
] as const)('the setting %s is -%s and %s', ([name, flag, variable]) => {
  expect([flagOf(name), variableOf(name)]).toEqual([flag, variable])
})
