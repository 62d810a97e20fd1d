import { describe, expect, test } from 'vitest'
import { BadApiKeyFile, readApiKeys } from '../../src/access/api-key-file.ts'

const HASH = 'ab'.repeat(32)
const entry = { id: 'team-a', sha256: HASH, scopes: ['key'] }
const textOf = (...entries: unknown[]) => JSON.stringify({ keys: entries })

describe('a file of API keys', () => {
  test.for<[string, string, RegExp]>([
    ['that is empty', '', /no whole JSON/],
    ['that is half written', textOf(entry).slice(0, -9), /no whole JSON/],
    ['that is no object', '[]', /a list "keys"/],
    ['whose keys are no list', '{"keys":{}}', /a list "keys"/],
    ['with an entry that is no object', textOf(entry, 'team-b'), /^entry 2 must be an object$/],
    ['with an entry that is null', textOf(null), /^entry 1 must be an object$/],
    ['without an id', textOf({ ...entry, id: undefined }), /^entry 1: id must be/],
    ['with an id that a log must not hold', textOf({ ...entry, id: 'a\nb' }), /^entry 1: id must be/],
    ['with an id too long', textOf({ ...entry, id: 'a'.repeat(65) }), /^entry 1: id must be/],
    [
      'with the secret in place of its hash',
      textOf({ ...entry, sha256: 'ks_0' }),
      /^entry 1: sha256 must be/,
    ],
    ['with a hash cut short', textOf({ ...entry, sha256: HASH.slice(1) }), /^entry 1: sha256 must be/],
    ['with a hash in capitals', textOf({ ...entry, sha256: HASH.toUpperCase() }), /^entry 1: sha256 must be/],
    ['without scopes', textOf({ ...entry, scopes: [] }), /^entry 1: scopes must be some of key, key:unique/],
    ['with scopes that are no list', textOf({ ...entry, scopes: 'key' }), /^entry 1: scopes must be/],
    ['with an unknown scope', textOf({ ...entry, scopes: ['key', 'root'] }), /^entry 1: scopes must be/],
    ['with an expiry that is no time', textOf({ ...entry, expires: 'soon' }), /^entry 1: expires must be/],
    ['with an expiry in a local time', textOf({ ...entry, expires: '2027-01-31T12:00' }), /expires must be/],
    ['with a day that there is not', textOf({ ...entry, expires: '2027-02-31' }), /expires must be/],
    ['with a number as expiry', textOf({ ...entry, expires: 1 }), /expires must be/],
    ['with null as expiry', textOf({ ...entry, expires: null }), /expires must be/],
    ['with a misspelt property', textOf({ ...entry, expiry: '2027-01-31' }), /a property that is none of id/],
    [
      'with an id twice',
      textOf(entry, { ...entry, sha256: 'cd'.repeat(32) }),
      /^two entries have the same id$/,
    ],
    ['with a hash twice', textOf(entry, { ...entry, id: 'b' }), /^two entries have the same sha256$/],
  ])('%s is refused without a word of it', ([, text, sentence]) => {
    const read = () => readApiKeys(text)
    expect(read).toThrow(BadApiKeyFile)
    expect(read).toThrow(sentence)
    expect(read).not.toThrow(HASH.slice(0, 8))
  })

  test('is a list of ids, hashes, scopes and times', () => {
    const keys = readApiKeys(
      textOf(
        { ...entry, scopes: ['key', 'admin'], expires: '2027-01-31' },
        { ...entry, id: 'b', sha256: 'cd'.repeat(32), expires: '2027-01-31T12:00:00Z' },
      ),
    )
    expect(keys.map(({ id, scopes, expires }) => [id, [...scopes], expires])).toEqual([
      ['team-a', ['key', 'admin'], Date.UTC(2027, 0, 31)],
      ['b', ['key'], Date.UTC(2027, 0, 31, 12)],
    ])
    expect(keys[0]?.sha256.toString('hex')).toBe(HASH)
  })

  test('may be an empty list', () => {
    expect(readApiKeys('{"keys":[]}')).toEqual([])
  })
})
