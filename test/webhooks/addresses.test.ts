import { isIPv6 } from 'node:net'
import { expect, test } from 'vitest'
import { addressesIn } from '../../src/http/cidr.ts'
import { ForbiddenAddress, pinnedAddresses, systemResolve } from '../../src/webhooks/addresses.ts'

const nobody = addressesIn([])
const everybody = addressesIn(['0.0.0.0/0', '::/0'])

const addressOf = (address: string) => ({ address, family: isIPv6(address) ? 6 : 4 })
const pinned = (addresses: readonly string[], allowed = nobody) =>
  pinnedAddresses('receiver.example', allowed, async () => addresses.map(addressOf))

test.for(['1.1.1.1', '169.253.255.255', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])(
  '%s is public',
  async (address) => {
    expect(await pinned([address])).toEqual([addressOf(address)])
  },
)

test.for([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:7f00:1',
  'fd00:ec2::254',
  'fec0::1',
  'ff02::1',
  '64:ff9b::a00:1',
  '2002:a00:1::',
  '2001:db8::1',
  '::a00:1',
  '::a9fe:a9fe',
  '::ffff:0:a00:1',
  '5f00::1',
])('%s is used only where a block names it', async (address) => {
  await expect(pinned([address])).rejects.toThrow('its address is not public and not in -webhook-allow-cidr')
  expect(await pinned([address], everybody)).toEqual([addressOf(address)])
})

test.for([
  '169.254.169.254',
  '169.254.0.1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  'fe80::1',
  '64:ff9b::a9fe:a9fe',
])('%s is link-local and never used', async (address) => {
  for (const allowed of [nobody, everybody, addressesIn([`${address}/32`])]) {
    await expect(pinned([address], allowed)).rejects.toThrow('its address is link-local')
  }
})

test('of several addresses only those are used that may be', async () => {
  const found = ['10.0.0.1', '1.1.1.1', '169.254.169.254', '8.8.8.8']
  expect(await pinned(found)).toEqual(['1.1.1.1', '8.8.8.8'].map(addressOf))
  await expect(pinned([])).rejects.toThrow(ForbiddenAddress)
})

test.for(['127.0.0.1', '[::1]', 'localhost'])('%s is resolved by the system', async (hostname) => {
  await expect(pinnedAddresses(hostname, nobody, systemResolve)).rejects.toThrow(ForbiddenAddress)
})
