import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { isWebhookSecret, secretsIn, signatureHeaders } from '../../src/webhooks/signature.ts'

const secretOf = (size: number) => `whsec_${randomBytes(size).toString('base64')}`

test.for<[string, string, boolean]>([
  ['24 bytes', secretOf(24), true],
  ['64 bytes', secretOf(64), true],
  ['23 bytes', secretOf(23), false],
  ['65 bytes', secretOf(65), false],
  ['no prefix', secretOf(32).slice(6), false],
  ['another prefix', secretOf(32).replace('whsec', 'whpk'), false],
  ['hex', `whsec_${'0123456789abcdef'.repeat(3)}`, true],
  ['base64url', `whsec_${'-_'.repeat(16)}`, false],
  ['missing padding', secretOf(32).replace(/=+$/, ''), false],
  ['a newline', `${secretOf(32)}\n`, false],
  ['nothing', '', false],
])('a secret of %s is one: %s', ([, secret, is]) => {
  expect(isWebhookSecret(secret)).toBe(is)
})

test('a setting may have two', () => {
  expect(secretsIn('whsec_a  whsec_b\n')).toEqual(['whsec_a', 'whsec_b'])
})

test('whatever the message, Standard Webhooks verifies it with either secret, and nothing else', () => {
  const [current, old, other] = [secretOf(32), secretOf(24), secretOf(32)]
  const now = Math.floor(Date.now() / 1000)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const body = JSON.stringify({ text })
      const headers = signatureHeaders('msg_1', now, body, [current, old])
      for (const secret of [current, old]) {
        expect(new Webhook(secret).verify(body, headers)).toEqual({ text })
        expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow()
      }
      expect(() => new Webhook(other).verify(body, headers)).toThrow()
    }),
  )
})

test('the signature is that of the specification', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const headers = signatureHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}', [
    secret,
  ])
  expect(headers).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})
