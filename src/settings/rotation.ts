import { readFileSync } from 'node:fs'
import { LEAST_TOKEN_BYTES, tokenIn } from '../access/admin-token.ts'
import { cidrsIn, isCidr } from '../http/cidr.ts'
import type { Config } from '../schemas/settings.ts'
import { MOST_RECEIVERS, urlFault, urlsIn } from '../webhooks/receivers.ts'
import { isWebhookSecret, secretsIn } from '../webhooks/signature.ts'

/** What is wrong with the settings of rotation, in sentences without secrets. */
export function rotationProblems(config: Config): string[] {
  const { unique, rotateEvery } = config
  const problems: string[] = []
  // A value with a problem of its own is undefined here.
  if (rotateEvery > 0 && unique === false)
    problems.push('-rotate-every needs -unique: only unique keys have periods')
  return [...problems, ...webhookProblems(config), ...adminProblems(config)]
}

function adminProblems({ unique, admin, adminTokenFile }: Config): string[] {
  if (admin !== true) return []
  const problems: string[] = []
  if (unique === false) problems.push('-admin needs -unique: there is nothing else to administer')
  if (adminTokenFile === undefined) {
    problems.push(
      `-admin needs ADMIN_TOKEN_FILE: the path of a file with a token of at least ${LEAST_TOKEN_BYTES} bytes`,
    )
  } else problems.push(...tokenProblems(adminTokenFile))
  return problems
}

function tokenProblems(file: string): string[] {
  const setting = 'the file that -admin-token-file (ADMIN_TOKEN_FILE) names'
  try {
    const size = Buffer.byteLength(tokenIn(readFileSync(file, 'utf8')))
    if (size >= LEAST_TOKEN_BYTES) return []
    return [`${setting} must hold a token of at least ${LEAST_TOKEN_BYTES} bytes, not ${size}`]
  } catch (error) {
    return [`cannot read ${setting}: ${(error as NodeJS.ErrnoException).code}`]
  }
}

function webhookProblems({ unique, webhookUrls, webhookSecret, webhookAllowCidr = '' }: Config): string[] {
  const urls = urlsIn(webhookUrls ?? '')
  if (urls.length === 0) return []
  const problems: string[] = []
  if (unique === false) problems.push('-webhook-urls needs -unique: there is nothing else to tell')
  if (urls.length > MOST_RECEIVERS) {
    problems.push(`-webhook-urls (WEBHOOK_URLS) must be at most ${MOST_RECEIVERS} URLs, not ${urls.length}`)
  }
  for (const [index, url] of urls.entries()) {
    const fault = urlFault(url)
    if (fault !== undefined) problems.push(`-webhook-urls (WEBHOOK_URLS): number ${index + 1} ${fault}`)
  }
  const secrets = secretsIn(webhookSecret ?? '')
  if (secrets.length === 0 || secrets.length > 2 || !secrets.every(isWebhookSecret)) {
    problems.push(
      '-webhook-urls needs WEBHOOK_SECRET or WEBHOOK_SECRET_FILE: whsec_ and 24 to 64 random bytes in base64, or two of these',
    )
  }
  for (const word of cidrsIn(webhookAllowCidr).filter((word) => !isCidr(word))) {
    problems.push(
      `-webhook-allow-cidr (WEBHOOK_ALLOW_CIDR) must be blocks like 10.0.0.0/8, not ${JSON.stringify(word)}`,
    )
  }
  return problems
}
