import { createCipheriv } from 'node:crypto'

/** Writes the keys of the numbers from `first` on, as many as fill `keys`, one after the other. */
export type Permute = (first: number, keys: Buffer) => void

const BLOCK = 16
const ROUNDS = 10

/** Keys made at a time: a cipher's call costs as much as some twenty blocks. */
const BATCH = 256

/**
 * FF1 of NIST SP 800-38G with AES-256 over numbers of `length` bytes, the most significant first: radix 2, numeral
 * strings of 8 × length bits. Each of its ten rounds is one call of the cipher for all keys of a batch, which is
 * what makes it fast; see docs/how-to/unique-keys.md for figures.
 * @param length from 3 to 15: FF1 is for a million values or more, and this one for halves of up to 64 bits.
 */
export function ff1(key: Uint8Array, tweak: Uint8Array, length: number): Permute {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const bits = length * 4
  const half = 2 ** bits
  const lowMask = bits < 32 ? half - 1 : -1
  const highMask = bits > 32 ? 2 ** (bits - 32) - 1 : 0
  const bytes = Math.ceil(bits / 8)
  // Where the last eight bytes of the standard's S begin: S has 4 ⌈bytes / 4⌉ + 4.
  const sum = 4 * Math.ceil(bytes / 4) - 4
  const template = lastBlock(cipher, tweak, length, bytes)
  const blocks = new DataView(new ArrayBuffer(BATCH * BLOCK))

  function oneRound(round: number, count: number, [low, high]: Half, [rightLow, rightHigh]: Half): void {
    const words = [0, 4, 8, 12].map((offset) => template.readUInt32BE(offset))
    const place = BLOCK - 1 - bytes
    words[place >> 2] = (words[place >> 2] as number) ^ (round << (8 * (3 - (place & 3))))
    const [first, second, third, fourth] = words as [number, number, number, number]
    for (let index = 0, at = 0; index < count; index++, at += BLOCK) {
      blocks.setInt32(at, first)
      blocks.setInt32(at + 4, second)
      blocks.setInt32(at + 8, third ^ (rightHigh[index] as number))
      blocks.setInt32(at + 12, fourth ^ (rightLow[index] as number))
    }
    const { buffer, byteOffset } = cipher.update(new Uint8Array(blocks.buffer, 0, count * BLOCK))
    const sums = new DataView(buffer, byteOffset)
    for (let index = 0, at = sum; index < count; index++, at += BLOCK) {
      const total = (low[index] as number) + sums.getUint32(at + 4)
      const carry = total > 0xffffffff ? 1 : 0
      low[index] = total & lowMask
      high[index] = ((high[index] as number) + sums.getUint32(at) + carry) & highMask
    }
  }

  let left = newHalf()
  let right = newHalf()

  function permute(first: number, count: number): void {
    for (let index = 0; index < count; index++) {
      setHalf(left, index, Math.floor((first + index) / half))
      setHalf(right, index, (first + index) % half)
    }
    for (let round = 0; round < ROUNDS; round++) {
      oneRound(round, count, left, right)
      ;[left, right] = [right, left]
    }
  }

  return (first, keys) => {
    const total = keys.length / length
    for (let done = 0; done < total; done += BATCH) {
      const count = Math.min(BATCH, total - done)
      permute(first + done, count)
      for (let index = 0; index < count; index++) {
        writeKey(keys, (done + index) * length, length, left, right, index)
      }
    }
    for (const words of [...left, ...right]) words.fill(0)
  }
}

/** The low and the high 32 bits of one half of each number of a batch. */
type Half = readonly [low: Uint32Array, high: Uint32Array]

function newHalf(): Half {
  return [new Uint32Array(BATCH), new Uint32Array(BATCH)]
}

function setHalf([low, high]: Half, index: number, value: number): void {
  low[index] = value % 0x1_0000_0000
  high[index] = Math.floor(value / 0x1_0000_0000)
}

/**
 * The last block of P || Q (algorithm 7, steps 5 and 6i) less the round and the right half, with the cipher's
 * output for all blocks before it, which are the same for every key.
 */
function lastBlock(
  cipher: ReturnType<typeof createCipheriv>,
  tweak: Uint8Array,
  length: number,
  bytes: number,
): Buffer {
  const size = Math.ceil((tweak.length + bytes + 1) / BLOCK) * BLOCK
  const message = Buffer.alloc(BLOCK + size)
  message.set([1, 2, 1, 0, 0, 2, ROUNDS, length * 4])
  message.writeUInt32BE(length * 8, 8)
  message.writeUInt32BE(tweak.length, 12)
  message.set(tweak, BLOCK)
  let chain = Buffer.alloc(BLOCK)
  for (let at = 0; at < size; at += BLOCK) chain = cipher.update(xor(chain, message.subarray(at)))
  return xor(chain, message.subarray(size))
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] as number)))
}

/** Writes left × 2^(4 length) + right, the most significant byte first; an odd length shares its middle byte. */
function writeKey(keys: Buffer, at: number, length: number, left: Half, right: Half, index: number): void {
  const bits = length * 4
  for (let place = 0; place < length; place++) {
    const shift = 8 * (length - 1 - place)
    let byte = shift < bits ? byteAt(right, index, shift) : byteAt(left, index, shift - bits)
    if (shift < bits && shift + 8 > bits) byte |= byteAt(left, index, 0) << 4
    keys[at + place] = byte
  }
}

function byteAt([low, high]: Half, index: number, shift: number): number {
  if (shift >= 32) return (high[index] as number) >>> (shift - 32)
  const lower = (low[index] as number) >>> shift
  return shift > 24 ? lower | ((high[index] as number) << (32 - shift)) : lower
}
