import { describe, expect, test } from 'vitest'
import { readSettings, SettingsError } from '../../src/settings/settings.ts'

function problemsOf(args: readonly string[]): readonly string[] {
  try {
    readSettings({ args, env: {}, folder: '/nonexistent' })
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

describe('-salt-from', () => {
  test.for(['', 'key-id', 'ip', 'header:x-user-id', 'header:X-Org,header:x-user,ip', ' key-id , ip,'])(
    'may be %j',
    (text) => {
      expect(problemsOf([`-salt-from=${text}`])).toEqual([])
    },
  )

  test.for([
    'user',
    'IP',
    'header',
    'header:',
    'header:a b',
    'header:x\u00e9',
    'header:a:b',
    'ip;key-id',
    'ip,user',
    ',',
    ' , ',
  ])('must not be %j', (text) => {
    expect(problemsOf([`-salt-from=${text}`])).toEqual([
      `-salt-from (SALT_FROM) must be of key-id, ip and header:name, with commas between them, not ${JSON.stringify(text)}`,
    ])
  })

  test.for(['ip,ip', 'header:x-user,ip,header:X-User'])('names each field once: %j', (text) => {
    expect(problemsOf([`-salt-from=${text}`])).toEqual([
      `-salt-from (SALT_FROM) must name each field once, not ${JSON.stringify(text)}`,
    ])
  })

  test('makes keys of 16,320 bytes at most', () => {
    expect(problemsOf(['-salt-from', 'ip', '-max-size', '16320'])).toEqual([])
    expect(problemsOf(['-max-size', '16321'])).toEqual([])
    expect(problemsOf(['-salt-from', 'ip', '-max-size', '16321'])).toEqual([
      '-max-size (16321) must be at most 16320 with -salt-from: HKDF-SHA-512 makes no longer keys (RFC 5869)',
    ])
  })
})

describe('-trust-proxy', () => {
  test.for(['', '10.42.0.0/16', '10.42.0.0/16, fd00::/8', '127.0.0.1/32'])('may be %j', (text) => {
    expect(problemsOf([`-trust-proxy=${text}`])).toEqual([])
  })

  test.for([
    '1',
    'true',
    'loopback',
    '10.42.0.1',
    '0.0.0.0/0',
    '::/0',
    '0.0.0.0/00',
    '::/000',
    '10.42.0.0/33',
  ])('must not be %j', (text) => {
    expect(problemsOf([`-trust-proxy=${text}`])).toEqual([
      `-trust-proxy (TRUST_PROXY) must be the blocks of the proxies' addresses, like 10.42.0.0/16, not ${JSON.stringify(text)}: with a number of proxies, or all, a client could choose its address`,
    ])
  })
})
