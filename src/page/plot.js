import { keysUntil, oddsOfRepeat } from './odds.js'

const SVG = 'http://www.w3.org/2000/svg'

/** What the axes show, as decimal logarithms: keys drawn from 1 on, probabilities up to 1. */
const MOST_KEYS = 42
const LEAST_ODDS = -18

const BOX = { left: 62, right: 374, top: 20, bottom: 216 }

/** A million keys a second for a hundred years. */
const CENTURY = Math.log10(1e6 * 100 * 365.25 * 86_400)

/** Lengths in bytes that the chosen one is seen beside. */
const BESIDE = [8, 16, 32]

/** Labels that end nearer to each other than that would touch. */
const LABEL_WIDTH = 52

const KEYS = { 0: '1', 12: '10¹²', 24: '10²⁴', 36: '10³⁶' }
const ODDS = { 0: 'certain', '-6': '1 in 10⁶', '-12': '1 in 10¹²', '-18': '1 in 10¹⁸' }

/**
 * Draws the odds of a repeat against the number of keys drawn, both axes logarithmic.
 * @param {SVGElement} drawing whose content is replaced
 * @param {{ bits: number, label: string } | undefined} chosen what is highlighted; nothing where no key repeats
 */
export function drawOdds(drawing, chosen) {
  const beside = BESIDE.filter((length) => length * 8 !== chosen?.bits).flatMap((length) => {
    const near = chosen && Math.abs(labelPlace(length * 8) - labelPlace(chosen.bits)) < LABEL_WIDTH
    return curve(length * 8, 'beside', near ? '' : `${length} bytes`)
  })
  drawing.replaceChildren(...axes(), ...beside, ...(chosen ? curve(chosen.bits, 'chosen', chosen.label) : []))
}

function axes() {
  const century = x(CENTURY)
  return [
    ...Object.entries(ODDS).flatMap(([log, label]) => [
      line(BOX.left, y(Number(log)), BOX.right, y(Number(log)), 'grid'),
      text(BOX.left - 8, y(Number(log)) + 4, label, 'axis end'),
    ]),
    ...Object.entries(KEYS).map(([log, label]) =>
      text(x(Number(log)), BOX.bottom + 20, label, 'axis middle'),
    ),
    text((BOX.left + BOX.right) / 2, BOX.bottom + 42, 'keys drawn', 'axis middle'),
    line(century, BOX.top, century, BOX.bottom, 'century'),
    text(century + 6, BOX.bottom - 22, 'a million a second', 'axis'),
    text(century + 6, BOX.bottom - 8, 'for a century', 'axis'),
  ]
}

/** @param {number} bits @param {string} kind @param {string} label */
function curve(bits, kind, label) {
  const first = Math.max(Math.log10(2), keysUntil(bits, 10 ** LEAST_ODDS))
  if (first > MOST_KEYS) return [text(BOX.right, BOX.bottom - 8, `${label} →`, `${kind} end`)]
  const points = [first]
  for (let keys = Math.ceil(first * 5 + 0.01) / 5; keys <= MOST_KEYS; keys += 0.2) points.push(keys)
  const path = points.map((keys) => `${x(keys).toFixed(1)} ${y(oddsOfRepeat(bits, keys)).toFixed(1)}`)
  return [
    shape('path', { d: `M${path.join('L')}`, class: kind }),
    text(labelPlace(bits), BOX.top - 7, label, `${kind} end`),
  ]
}

/** Where a curve's label ends. @param {number} bits */
function labelPlace(bits) {
  return Math.min(x(keysUntil(bits, 0.5)), BOX.right)
}

/** @param {number} keys */
function x(keys) {
  return BOX.left + ((BOX.right - BOX.left) * keys) / MOST_KEYS
}

/** @param {number} odds */
function y(odds) {
  return BOX.top + ((BOX.bottom - BOX.top) * Math.max(odds, LEAST_ODDS)) / LEAST_ODDS
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} kind */
function line(x1, y1, x2, y2, kind) {
  return shape('line', { x1, y1, x2, y2, class: kind })
}

/** @param {number} left @param {number} base @param {string} words @param {string} kind */
function text(left, base, words, kind) {
  const label = shape('text', { x: left.toFixed(1), y: base.toFixed(1), class: kind })
  label.textContent = words
  return label
}

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  return element
}
