import { cidrsIn, isCidr } from '../http/cidr.ts'
import { saltFieldsIn } from '../http/salt-fields.ts'
import { LONGEST_SALTED } from '../keys/salt.ts'
import type { Config } from '../schemas/settings.ts'

/** What is wrong with the settings of salt and of whom addresses are believed, in sentences. */
export function saltProblems({ saltFrom, trustProxy, maxSize }: Config): string[] {
  const problems: string[] = []
  const fields = saltFieldsIn(saltFrom)
  const isEmpty = saltFrom.trim() !== '' && fields.length === 0
  if (isEmpty || fields.includes(undefined)) {
    problems.push(
      `-salt-from (SALT_FROM) must be of key-id, ip and header:name, with commas between them, not ${JSON.stringify(saltFrom)}`,
    )
  }
  const names = fields.map((field) => field?.name)
  if (!names.includes(undefined) && new Set(names).size < names.length) {
    problems.push(`-salt-from (SALT_FROM) must name each field once, not ${JSON.stringify(saltFrom)}`)
  }
  // A value with a problem of its own is undefined here, which makes its comparison false.
  if (fields.length > 0 && maxSize > LONGEST_SALTED) {
    problems.push(
      `-max-size (${maxSize}) must be at most ${LONGEST_SALTED} with -salt-from: HKDF-SHA-512 makes no longer keys (RFC 5869)`,
    )
  }
  for (const word of cidrsIn(trustProxy).filter((word) => !isCidr(word) || word.endsWith('/0'))) {
    problems.push(
      `-trust-proxy (TRUST_PROXY) must be the blocks of the proxies' addresses, like 10.42.0.0/16, not ${JSON.stringify(word)}: with a number of proxies, or all, a client could choose its address`,
    )
  }
  return problems
}
