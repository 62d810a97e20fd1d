import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { RepeatedHeader } from '../problems/problems.ts'
import { callerAddress } from './caller-address.ts'

/** A field of `-salt-from`: its text in the setting, and how a request fills it. */
export interface SaltField {
  readonly name: string
  /** Empty where the request has none. @throws {RepeatedHeader} */
  read(request: FastifyRequest): string
}

/** The fields of a setting, in its order; undefined for a word that is none. */
export function saltFieldsIn(text: string): (SaltField | undefined)[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .map(fieldOf)
}

function fieldOf(name: string): SaltField | undefined {
  if (name === 'key-id') return { name, read: ({ client }) => client?.id ?? '' }
  if (name === 'ip') return { name, read: (request) => addressOf(callerAddress(request)) }
  const [, header] = /^header:([A-Za-z0-9!#$%&'*+.^_`|~-]+)$/.exec(name) ?? []
  if (header === undefined) return undefined
  const lower = header.toLowerCase()
  return { name: `header:${lower}`, read: ({ raw }) => headerOf(raw.rawHeaders, lower) }
}

/** The value of a header as it came, in Latin-1: Node joins those that come twice, or drops one. */
function headerOf(rawHeaders: readonly string[], name: string): string {
  const values = rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  )
  if (values.length > 1) throw new RepeatedHeader(name)
  return values[0] ?? ''
}

/** The same text for the same IPv4 address, whatever the server listens on. */
function addressOf(ip: string | undefined): string {
  const [, mapped] = /^::ffff:([0-9.]+)$/i.exec(ip ?? '') ?? []
  return mapped !== undefined && isIP(mapped) === 4 ? mapped : (ip ?? '')
}
