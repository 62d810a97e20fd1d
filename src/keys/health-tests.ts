/** The continuous health tests of NIST SP 800-90B, section 4.4. */
export type HealthTest = 'repetition_count' | 'adaptive_proportion'

/**
 * Equal bytes in a row that fail the repetition count test (4.4.1): 1 + ⌈80 / 8⌉, a false alarm of 2^-80 for
 * bytes of eight bits of entropy.
 */
const REPETITION_CUTOFF = 11

/** Half of the rest of a run that fails, after its first byte. */
const PROBE_GAP = (REPETITION_CUTOFF - 1) / 2

/** Bytes in a window of the adaptive proportion test (4.4.2), the standard's size for non-binary sources. */
const WINDOW = 512

/**
 * Occurrences of a window's first byte, itself among them, that fail the adaptive proportion test: the least
 * count whose false alarm is at most 2^-80 (that of 31 is 2^-81.7, that of 30 is 2^-77.7).
 */
const PROPORTION_CUTOFF = 31

/** The first health test that `block` fails, or undefined when it passes both. */
export function failedHealthTest(block: Uint8Array): HealthTest | undefined {
  if (repeats(block)) return 'repetition_count'
  for (let start = 0; start + WINDOW <= block.length; start += WINDOW) {
    if (dominates(block, start)) return 'adaptive_proportion'
  }
  return undefined
}

function repeats(block: Uint8Array): boolean {
  // A run that fails holds one of these places and the one PROBE_GAP after it, so few others are looked at.
  for (let index = 0; index + PROBE_GAP < block.length; index += PROBE_GAP + 1) {
    if (block[index] === block[index + PROBE_GAP] && runAt(block, index) >= REPETITION_CUTOFF) return true
  }
  return false
}

/** How many bytes in a row are the one at `index`, itself among them. */
function runAt(block: Uint8Array, index: number): number {
  let start = index
  let end = index + 1
  while (block[start - 1] === block[index]) start--
  while (block[end] === block[index]) end++
  return end - start
}

function dominates(block: Uint8Array, start: number): boolean {
  const first = block[start]
  let count = 0
  for (let index = start; index < start + WINDOW; index++) {
    if (block[index] === first) count++
  }
  return count >= PROPORTION_CUTOFF
}
