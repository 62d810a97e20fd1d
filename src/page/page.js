import { callForKeys, curlLine, entry } from './call.js'
import { copy, find, say, write } from './elements.js'
import { bytesOf, oddsInWords } from './odds.js'
import { drawOdds } from './plot.js'
import { showRotation } from './rotation.js'

/** @typedef {import('./call.js').Answer} Answer */
/** @typedef {import('./call.js').Fault} Fault */

/**
 * What the page must know of the server's settings; `mostBits` is what keys have at random at most, if anything.
 * @type {{ minSize: number, maxSize: number, formats: string[], checksums: string[], recommended: number, unique: boolean, auth: boolean,
 * mostBits: number | null }}
 */
const settings = JSON.parse(document.body.dataset.settings ?? '')

/** More is not shown, so that a thousand keys don't hold the page up; it is copied all the same. */
const MOST_SHOWN = 20
const MOST_CHARACTERS = 2048

const USUAL_LENGTHS = [16, 24, 32, 64]

/** The field that a problem is about, by the end of its type. */
const FIELDS = {
  'invalid-key-length': 'length',
  'keyspace-exhausted': 'length',
  'unknown-format': 'format',
  'base58-too-large': 'format',
  'invalid-count': 'count',
  'batch-too-large': 'count',
  'invalid-prefix': 'prefix',
  unauthorized: 'api-key',
  forbidden: 'api-key',
}

const form = find('form', HTMLFormElement)

/** The keys that are shown, all of them; empty for none. */
let keys = ''

/** The call under way, if there is one. @type {AbortController | undefined} */
let calling

async function make() {
  if (calling !== undefined) return
  clear()
  calling = new AbortController()
  const { signal } = calling
  find('make', HTMLElement).setAttribute('aria-disabled', 'true')
  try {
    const answer = await callForKeys(signal)
    // Whoever left the page has nothing to come back to.
    if (signal.aborted) return
    if (answer instanceof Blob) save(answer)
    else if ('detail' in answer) refuse(answer)
    else show(answer)
    if (settings.unique) await showRotation(lengthNow())
  } finally {
    calling = undefined
    find('make', HTMLElement).removeAttribute('aria-disabled')
  }
}

/** @param {Answer} answer */
function show({ key, keys: all = [`${key}`], length, format: form, entropyBits, period, expiresAt }) {
  keys = all.join('\n')
  const shown = all.slice(0, MOST_SHOWN).join('\n').slice(0, MOST_CHARACTERS)
  const one = all.length === 1
  write('keys', shown)
  write('result-title', one ? 'Your key' : `Your ${all.length.toLocaleString('en')} keys`)
  write('copy', one ? 'Copy' : 'Copy all')
  const until = expiresAt === undefined ? '' : ` until ${expiresAt}`
  const facts = [
    ...(shown.length < keys.length ? ['Not all is shown here, but all is copied.'] : []),
    `${bytesOf(length)}${one ? '' : ' each'} in ${form}, ${entropyBits.toLocaleString('en')} bits of entropy.`,
    ...(period === undefined ? [] : [`Unique in period ${period}${until}.`]),
  ]
  write('facts', facts.join(' '))
  find('result', HTMLElement).hidden = false
  say(one ? 'A key was made.' : `${all.length.toLocaleString('en')} keys were made.`)
}

/** Bytes alone can't be shown: they become a file. @param {Blob} bytes */
function save(bytes) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(bytes)
  link.download = 'key.bin'
  link.click()
  URL.revokeObjectURL(link.href)
  say(`${bytesOf(bytes.size)} were saved as a file.`)
}

/** @param {Fault} fault */
function refuse({ detail, type = '' }) {
  write('error', detail)
  const id = new Map(Object.entries(FIELDS)).get(type.replace('/problems/', ''))
  if (type.startsWith('/problems/')) {
    const link = document.createElement('a')
    link.href = `.${type}`
    link.textContent = 'What this means'
    find('error', HTMLElement).append('. ', link)
  }
  if (id === undefined) return
  const field = find(id, HTMLElement)
  field.setAttribute('aria-invalid', 'true')
  field.focus()
}

/** Forgets the keys and what was wrong. */
function clear() {
  keys = ''
  for (const id of ['keys', 'facts', 'error', 'status']) write(id, '')
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid')
  find('result', HTMLElement).hidden = true
}

/** Says what the form asks for: as a line for programs, and how likely a repeat is. */
function describe() {
  write('curl', curlLine(settings.auth))
  const length = lengthNow()
  for (const button of find('lengths', HTMLElement).children) {
    button.setAttribute('aria-pressed', String(button.textContent === String(length)))
  }
  if (!(length >= settings.minSize && length <= settings.maxSize)) return
  const { recommended, mostBits } = settings
  const unique = settings.unique && length < recommended
  const bits = Math.min(length * 8, mostBits ?? Number.POSITIVE_INFINITY)
  const words = oddsInWords(length, { bits, unique, recommended })
  write('odds', words)
  find('plot-text', SVGElement).textContent = `A plot with both axes logarithmic. ${words}`
  drawOdds(find('drawing', SVGElement), unique ? undefined : { bits, label: bytesOf(length) })
}

function lengthNow() {
  return Number(entry('length') || Number.NaN)
}

/** Leaves nothing behind for whoever comes back to this page, by way of the browser's memory of it. */
function forget() {
  calling?.abort()
  clear()
  form.reset()
  describe()
}

function begin() {
  find('format', HTMLSelectElement).append(...settings.formats.map((name) => new Option(name)))
  find('checksum', HTMLSelectElement).append(
    new Option('none', ''),
    ...settings.checksums.map((name) => new Option(name)),
  )
  for (const length of USUAL_LENGTHS.filter((each) => each >= settings.minSize && each <= settings.maxSize)) {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = String(length)
    button.addEventListener('click', () => {
      find('length', HTMLInputElement).value = String(length)
      describe()
    })
    find('lengths', HTMLElement).append(button)
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void make()
  })
  form.addEventListener('input', describe)
  find('clear', HTMLElement).addEventListener('click', () => {
    clear()
    say('Cleared.')
    find('make', HTMLElement).focus()
  })
  const copied = () => (keys.includes('\n') ? 'All keys were copied.' : 'The key was copied.')
  find('copy', HTMLElement).addEventListener('click', () => void copy(keys, copied()))
  find('copy-curl', HTMLElement).addEventListener('click', () => {
    void copy(find('curl', HTMLElement).textContent ?? '', 'The line was copied.')
  })
  window.addEventListener('pagehide', forget)
  find('call', HTMLElement).hidden = false
  find('plot', SVGElement).removeAttribute('hidden')
  describe()
  if (settings.unique) void showRotation(lengthNow())
}

begin()
