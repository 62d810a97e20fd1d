import { createHmac } from 'node:crypto'

/** Bytes that a secret may have, by Standard Webhooks 1.0.0. */
const [LEAST, MOST] = [24, 64]

/** The secrets of a setting, between spaces: one, or a new and an old one while it is being changed. */
export function secretsIn(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** Whether a text is a secret in the form of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
export function isWebhookSecret(text: string): boolean {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = Buffer.from(base64, 'base64')
  return bytes.length >= LEAST && bytes.length <= MOST && bytes.toString('base64') === base64
}

/** The headers that sign a message by Standard Webhooks 1.0.0, once with each secret. */
export function signatureHeaders(
  id: string,
  seconds: number,
  body: string,
  secrets: readonly string[],
): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  }
}
