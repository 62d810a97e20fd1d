/**
 * An element of the page that must be there.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(id, kind) {
  const element = document.getElementById(id)
  if (element instanceof kind) return element
  throw new Error(`no ${kind.name} has the id ${id}`)
}

/** @param {string} id @param {string} text */
export function write(id, text) {
  find(id, HTMLElement).textContent = text
}

/**
 * Says in the live region what has happened, even when it is what was said before.
 * @param {string} text
 */
export function say(text) {
  const status = find('status', HTMLElement)
  status.textContent = ''
  requestAnimationFrame(() => {
    status.textContent = text
  })
}

/**
 * Copies a text, or says why that can't be.
 * @param {string} text
 * @param {string} done what is said then
 */
export async function copy(text, done) {
  // Where there is no HTTPS, browsers let only pages of this machine copy.
  const copied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  )
  say(copied ? done : 'This browser does not let the page copy: select the text and copy it yourself.')
}
