import type { LookupAddress } from 'node:dns'
import { lookup } from 'node:dns/promises'
import type { BlockList } from 'node:net'
import { addressesIn } from '../http/cidr.ts'

/** Cloud providers hand out credentials there; the last is the first as an IPv6 address behind NAT64. */
const linkLocal = addressesIn(['169.254.0.0/16', 'fe80::/10', '64:ff9b::a9fe:0/112'])

/**
 * What the IANA registries of special-purpose addresses keep from the global internet, multicast, and old forms of
 * IPv4 addresses in IPv6.
 */
const special = addressesIn([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fec0::/10',
  'ff00::/8',
])

/** Finds the addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>

export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true })

/** Thrown where a receiver has no address that it may have. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
}

/**
 * Resolves a name once; what is returned is all that may be connected to.
 * @param allowed private addresses that may be used, but for link-local ones.
 * @throws {ForbiddenAddress}
 */
export async function pinnedAddresses(
  hostname: string,
  allowed: BlockList,
  resolve: Resolve,
): Promise<readonly LookupAddress[]> {
  const found = await resolve(hostname.replace(/^\[(.*)\]$/, '$1'))
  const usable = found.filter(({ address, family }) => {
    const type = family === 6 ? 'ipv6' : 'ipv4'
    return !linkLocal.check(address, type) && (!special.check(address, type) || allowed.check(address, type))
  })
  if (usable.length > 0) return usable
  throw new ForbiddenAddress(
    found.some(({ address, family }) => linkLocal.check(address, family === 6 ? 'ipv6' : 'ipv4'))
      ? 'its address is link-local'
      : 'its address is not public and not in -webhook-allow-cidr',
  )
}
