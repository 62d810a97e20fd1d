import { createHmac, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Entropy, POOL_SIZE } from '../../src/keys/entropy.ts'
import { hkdfSha512, LONGEST_SALTED, MOST_SALTED_BITS, SaltedEntropy, saltInfo } from '../../src/keys/salt.ts'
import { EntropyUnavailable } from '../../src/problems/problems.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')

/** HKDF as RFC 5869 writes it, in sections 2.2 and 2.3. */
function hkdf(hash: string, input: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  const key = createHmac(hash, salt).update(input).digest()
  const blocks: Buffer[] = []
  for (let block = 1; blocks.reduce((sum, { length }) => sum + length, 0) < length; block++) {
    const last = blocks.at(-1) ?? Buffer.alloc(0)
    blocks.push(createHmac(hash, key).update(last).update(info).update(Buffer.of(block)).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

const range = (first: number, count: number) =>
  Buffer.from(Array.from({ length: count }, (_, index) => first + index))

describe('the vectors of RFC 5869, appendix A', () => {
  test.for<[string, string, Buffer, Buffer, Buffer, string]>([
    [
      'A.1',
      'sha256',
      Buffer.alloc(22, 0x0b),
      range(0, 13),
      range(0xf0, 10),
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      'A.2',
      'sha256',
      range(0, 80),
      range(0x60, 80),
      range(0xb0, 80),
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    ],
    [
      'A.3',
      'sha256',
      Buffer.alloc(22, 0x0b),
      Buffer.alloc(0),
      Buffer.alloc(0),
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
    [
      'A.4',
      'sha1',
      Buffer.alloc(11, 0x0b),
      range(0, 13),
      range(0xf0, 10),
      '085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896',
    ],
    [
      'A.6',
      'sha1',
      Buffer.alloc(22, 0x0b),
      Buffer.alloc(0),
      Buffer.alloc(0),
      '0ac1af7002b3d761d1e55298da9d0506b9ae52057220a306e07b6b87e8df21d0ea00033de03984d34918',
    ],
    [
      'A.7',
      'sha1',
      Buffer.alloc(22, 0x0c),
      Buffer.alloc(20),
      Buffer.alloc(0),
      '2c91117204d745f3500d636a62f64f0ab3bae548aa53d423b0d1f27ebba6f5e5673a081d70cce7acfc48',
    ],
  ])('%s', ([, hash, input, salt, info, output]) => {
    const length = output.length / 2
    expect(hkdf(hash, input, salt, info, length).toString('hex')).toBe(output)
    expect(Buffer.from(hkdfSync(hash, input, salt, info, length)).toString('hex')).toBe(output)
  })
})

test('ours is HKDF-SHA-512 as the RFC writes it, of every length up to its bound', () => {
  const octets = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
  const length = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: LONGEST_SALTED }))
  fc.assert(
    fc.property(octets, octets, length, (input, info, length) => {
      const expected = hkdf('sha512', input, Buffer.alloc(0), info, length)
      expect(hkdfSha512(input, info, length).equals(expected)).toBe(true)
    }),
    { examples: [[bytes('00'), bytes(''), LONGEST_SALTED]] },
  )
  expect(() => hkdfSha512(bytes('00'), bytes(''), LONGEST_SALTED + 1)).toThrow()
})

describe('the info of a derivation', () => {
  const info = (length: number, ...fields: string[]) =>
    saltInfo(
      length,
      fields.map((field) => Buffer.from(field, 'latin1')),
    ).toString('hex')

  test.for([
    ['a|b + c and a + b|c', info(16, 'a|b', 'c'), info(16, 'a', 'b|c')],
    ['ab + c and a + bc', info(16, 'ab', 'c'), info(16, 'a', 'bc')],
    ['a and a + nothing', info(16, 'a'), info(16, 'a', '')],
    ['nothing + a and a + nothing', info(16, '', 'a'), info(16, 'a', '')],
    ['a and A', info(16, 'a'), info(16, 'A')],
    ['two lengths', info(16, 'a'), info(17, 'a')],
    ['a NUL byte and none', info(16, 'a\0'), info(16, 'a')],
  ] as const)('differs for %s', ([, one, other]) => {
    expect(one).not.toBe(other)
  })

  test('is 64 bytes, however long the fields are', () => {
    expect(info(16, 'x'.repeat(100_000))).toHaveLength(128)
  })

  test('differs whenever anything does', () => {
    const call = fc.tuple(fc.integer({ min: 1, max: LONGEST_SALTED }), fc.array(fc.string({ maxLength: 3 })))
    fc.assert(
      fc.property(call, call, ([length, fields], [otherLength, others]) => {
        const same = length === otherLength && JSON.stringify(fields) === JSON.stringify(others)
        expect(info(length, ...fields) === info(otherLength, ...others)).toBe(same)
      }),
    )
  })

  test('is the same for the same, today and tomorrow', () => {
    expect(info(16, 'alice', '127.0.0.1').slice(0, 32)).toBe('448d73deb605803b1aab7d5f17d01f3a')
  })
})

describe('salted keys', () => {
  /** The same bytes each time it is made. */
  const fixed = () => {
    let next = 0
    return new Entropy((pool) => {
      for (let index = 0; index < pool.length; index++) {
        next = (next * 1_103_515_245 + 12_345) % 2 ** 31
        pool[index] = next >> 16
      }
    })
  }
  const keyOf = (user: string, length = 32, entropy = fixed()) =>
    new SaltedEntropy(entropy, [Buffer.from(user)]).take(length, (pool, start, end) =>
      pool.toString('hex', start, end),
    )

  test('of two users with the same randomness have nothing to do with each other', () => {
    const [alice, bob] = [bytes(keyOf('alice', 4096)), bytes(keyOf('bob', 4096))]
    expect(keyOf('alice', 4096)).toBe(alice.toString('hex'))
    const same = alice.filter((byte, index) => byte === bob[index]).length
    // One byte in 256 is the same by chance.
    expect(same).toBeLessThan(64)
  })

  test('of two lengths do not begin the same', () => {
    expect(keyOf('alice', 33).startsWith(keyOf('alice', 32))).toBe(false)
  })

  test('of one user never come twice', () => {
    const entropy = fixed()
    const keys = Array.from({ length: 1000 }, () => keyOf('alice', 16, entropy))
    expect(new Set(keys).size).toBe(1000)
  })

  test('take 64 fresh bytes each, and say so', () => {
    let drawn = 0
    const entropy = new Entropy((pool) => {
      drawn++
      for (let index = 0; index < pool.length; index++) pool[index] = (index * 7 + (index >> 8)) & 255
    })
    for (let key = 0; key < POOL_SIZE / 64; key++) keyOf('alice', 1, entropy)
    expect(drawn).toBe(1)
    keyOf('alice', 1, entropy)
    expect(drawn).toBe(2)
    expect(new SaltedEntropy(entropy, []).mostEntropyBits).toBe(MOST_SALTED_BITS)
    expect(MOST_SALTED_BITS).toBe(512)
  })

  test('are refused while the source of randomness fails', () => {
    const entropy = new Entropy((pool) => pool.fill(0))
    expect(() => keyOf('alice', 32, entropy)).toThrow(EntropyUnavailable)
  })

  test('are wiped once they are used', () => {
    const kept: { pool?: Buffer } = {}
    new SaltedEntropy(fixed(), []).take(32, (pool) => {
      kept.pool = pool
    })
    expect(kept.pool?.equals(Buffer.alloc(32))).toBe(true)
  })
})
