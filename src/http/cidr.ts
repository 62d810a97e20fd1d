import { BlockList, isIP } from 'node:net'

/** A block of addresses: `10.0.0.0/8`, `fd00::/8`. */
interface Cidr {
  readonly address: string
  readonly bits: number
  readonly family: 'ipv4' | 'ipv6'
}

/** Blocks of a setting: between commas or spaces. */
export function cidrsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

/** Whether a text is a block of addresses. A single address has /32 or /128 too, so that nobody forgets it. */
export function isCidr(text: string): boolean {
  return parse(text) !== undefined
}

/** Addresses by blocks, each of which {@link isCidr}. An IPv4 address counts as such in its IPv6 form too. */
export function addressesIn(cidrs: readonly string[]): BlockList {
  const list = new BlockList()
  for (const text of cidrs) {
    const cidr = parse(text)
    if (cidr !== undefined) list.addSubnet(cidr.address, cidr.bits, cidr.family)
  }
  return list
}

function parse(text: string): Cidr | undefined {
  const [, address = '', digits] = /^([0-9a-f.:]+)\/(0|[1-9][0-9]{0,2})$/i.exec(text) ?? []
  const version = isIP(address)
  const bits = Number(digits)
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return undefined
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}
