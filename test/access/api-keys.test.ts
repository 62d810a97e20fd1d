import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiKeys, hashSecret, newSecret } from '../../src/access/api-keys.ts'
import { checksum } from '../../src/keys/checksum.ts'

const secret = newSecret()
const EXPIRY = 1_000_000

function keysWith(...secrets: string[]): ApiKeys {
  return new ApiKeys(
    secrets.map((text, index) => ({
      id: `client-${index}`,
      sha256: hashSecret(text),
      scopes: new Set(['key'] as const),
      expires: EXPIRY,
    })),
  )
}

describe('a secret', () => {
  test('has a form and a checksum that scanners know', () => {
    expect(secret).toMatch(/^ks_[0-9a-f]{64}[0-9A-Za-z]{6}$/)
    expect(secret.slice(-6)).toBe(checksum(secret.slice(0, -6)))
  })

  test('is never the same', () => {
    expect(new Set(Array.from({ length: 1000 }, newSecret)).size).toBe(1000)
  })

  test('says whose it is, among several', () => {
    const secrets = Array.from({ length: 20 }, newSecret)
    const keys = keysWith(...secrets)
    expect(secrets.map((text) => keys.check(text, 0))).toMatchObject(
      secrets.map((_, index) => ({ id: `client-${index}` })),
    )
  })

  test.for([
    [EXPIRY - 1, { id: 'client-0' }],
    [EXPIRY, 'expired'],
    [EXPIRY + 1, 'expired'],
  ] as const)('at %d is %j', ([now, found]) => {
    const answer = keysWith(secret).check(secret, now)
    expect(typeof answer === 'string' ? answer : { id: answer.id }).toEqual(found)
  })

  test('that nobody has is unknown', () => {
    expect([keysWith(secret).check(newSecret(), 0), keysWith().check(secret, 0)]).toEqual([
      'unknown',
      'unknown',
    ])
  })

  test('whose hash differs in its last bit alone is unknown', () => {
    const sha256 = hashSecret(secret)
    sha256.writeUInt8(sha256.readUInt8(31) ^ 1, 31)
    const keys = new ApiKeys([{ id: 'a', sha256, scopes: new Set(['key'] as const), expires: undefined }])
    expect(keys.check(secret, 0)).toBe('unknown')
  })

  test.for([
    ['cut short', secret.slice(0, -1)],
    ['doubled', secret + secret],
    ['with one digit changed', secret.replace(/_./, secret[3] === '0' ? '_1' : '_0')],
    ['in capitals', secret.toUpperCase()],
    ['with a space before', ` ${secret}`],
    ['with a line end after', `${secret}\n`],
    ['of 100 KB', `ks_${'0'.repeat(100_000)}`],
    ['that is empty', ''],
  ] as const)('%s is malformed', ([, text]) => {
    expect(keysWith(secret).check(text, 0)).toBe('malformed')
  })

  test('that is any other text is never taken', () => {
    const keys = keysWith(secret)
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => keys.check(text, 0) === 'malformed'))
  })
})
