const LOG_2 = Math.log10(2)
const DIGITS = [...'⁰¹²³⁴⁵⁶⁷⁸⁹']

/**
 * How many keys of that many random bits hold a repeat with that probability, by the birthday bound.
 * @param {number} bits
 * @param {number} probability above 0 and under 1
 * @returns {number} its decimal logarithm, as the number itself can be over what a double holds
 */
export function keysUntil(bits, probability) {
  const pairs = Math.log10(-2 * Math.log1p(-probability)) + bits * LOG_2
  return pairs > 20 ? pairs / 2 : Math.log10(0.5 + Math.sqrt(0.25 + 10 ** pairs))
}

/**
 * The probability that some of the keys drawn are the same.
 * @param {number} bits that each key has at random
 * @param {number} keys the decimal logarithm of their number, up to 300
 * @returns {number} its decimal logarithm: minus infinity for fewer than two keys
 */
export function oddsOfRepeat(bits, keys) {
  const pairs = keys + Math.log10(Math.max(10 ** keys - 1, 0)) - (bits + 1) * LOG_2
  return pairs < -9 ? pairs : Math.log10(-Math.expm1(-(10 ** pairs)))
}

/**
 * A number for people, rounded up to whole ones below a million: `93`, `2.6·10¹⁶`.
 * @param {number} log its decimal logarithm, from 0
 */
export function written(log) {
  if (log < 6) return Math.ceil(10 ** log - 1e-9).toLocaleString('en')
  const exponent = Math.floor(log)
  const [mantissa = '', carry] = (10 ** (log - exponent)).toExponential(1).split('e+')
  const power = String(exponent + Number(carry)).replaceAll(/\d/g, (digit) => `${DIGITS[Number(digit)]}`)
  return `${mantissa}·10${power}`
}

/** @param {number} length */
export function bytesOf(length) {
  return length === 1 ? '1 byte' : `${length.toLocaleString('en')} bytes`
}

/**
 * The odds of a repeat in words.
 * @param {number} length in bytes
 * @param {{ bits: number, unique: boolean, recommended: number }} key what such a key is: its random bits, whether it is
 * dealt so that it can't repeat, and the least length that is recommended
 */
export function oddsInWords(length, { bits, unique, recommended }) {
  const bytes = bytesOf(length)
  if (unique) return `${bytes}: never within a period, as this server deals such keys without a repeat.`
  const likely = `as likely as not after ${written(keysUntil(bits, 0.5))}`
  const advice = `Use ${recommended} bytes or more for keys that must not repeat.`
  if (bits < 20) {
    return `${bytes}: any two keys are the same with odds of one in ${written(bits * LOG_2)}, and a repeat is ${likely} keys. ${advice}`
  }
  const only = length < recommended ? '' : 'only '
  const sentence = `${bytes}: a repeat has odds of one in a million ${only}after ${written(keysUntil(bits, 1e-6))} keys, and is ${likely}.`
  return length < recommended ? `${sentence} ${advice}` : `${sentence} ${recommended} bytes are enough.`
}
