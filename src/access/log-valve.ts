const LINES_A_SECOND = 10

/** Lets ten lines a second through, so that whoever is refused on and on can't fill a disk. */
export class LogValve {
  #second = 0
  #lines = 0
  #held = 0

  /** Calls `write` with the number of lines held back since the last one, or counts one more of those. */
  pass(write: (held: number) => void): void {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#lines = 0
    }
    if (this.#lines >= LINES_A_SECOND) {
      this.#held++
      return
    }
    this.#lines++
    const held = this.#held
    this.#held = 0
    write(held)
  }
}
