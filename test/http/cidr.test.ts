import { describe, expect, test } from 'vitest'
import { addressesIn, cidrsIn, isCidr } from '../../src/http/cidr.ts'

test.for([
  ['10.0.0.0/8', true],
  ['127.0.0.1/32', true],
  ['0.0.0.0/0', true],
  ['fd00::/8', true],
  ['::/0', true],
  ['::ffff:10.0.0.0/104', true],
  ['FE80::/10', true],
  ['10.0.0.0', false],
  ['10.0.0.0/33', false],
  ['10.0.0.0/08', false],
  ['0.0.0.0/00', false],
  ['10.0.0/8', false],
  ['010.0.0.0/8', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['10.0.0.0/255.0.0.0', false],
  ['10.0.0.0/-1', false],
  ['fe80::%1/10', false],
  ['::/129', false],
  ['::/000', false],
  ['/8', false],
  ['1', false],
  ['true', false],
  ['loopback', false],
  ['', false],
] as const)('%j is a block of addresses: %s', ([text, is]) => {
  expect(isCidr(text)).toBe(is)
})

test('a setting may have several, between commas or spaces', () => {
  expect(cidrsIn(' 10.0.0.0/8, fd00::/8\n::1/128,')).toEqual(['10.0.0.0/8', 'fd00::/8', '::1/128'])
  expect(cidrsIn('')).toEqual([])
})

describe('a list of them', () => {
  const list = addressesIn(['10.0.0.0/8', 'fd00::/8'])

  test.for([
    ['10.255.0.1', 'ipv4', true],
    ['11.0.0.1', 'ipv4', false],
    ['::ffff:10.1.2.3', 'ipv6', true],
    ['::ffff:11.1.2.3', 'ipv6', false],
    ['fdff::1', 'ipv6', true],
    ['fe80::1', 'ipv6', false],
  ] as const)('knows of %s', ([address, family, is]) => {
    expect(list.check(address, family)).toBe(is)
  })
})
