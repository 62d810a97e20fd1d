/** What is stored: one text, which only the key space understands. */
export interface Snapshot {
  /** Undefined in a store that nothing was written to yet. */
  readonly state: string | undefined
  /** What a swap is made against; an empty store has one too. No two writes ever leave the same. */
  readonly version: string
  /** Milliseconds since the epoch by the store's clock. */
  readonly now: number
}

/** Where the key space is kept. After a swap that throws, only a read can tell whether it was done. */
export interface Store {
  /** @throws {StoreError} */
  read(): Promise<Snapshot>
  /**
   * Replaces what `version` was read with by `state`, durably and all or nothing.
   * @returns false if somebody else was first: read again, after a moment.
   * @throws {StoreError}
   */
  swap(version: string, state: string): Promise<boolean>
  close(): Promise<void>
}

/** How long a store may take for one operation before it counts as away. */
export const OPERATION_TIMEOUT_MS = 5000

interface Failure {
  readonly lasting?: boolean
  readonly retryAfter?: number | undefined
}

/** A store that can't do what it was asked to. The message holds no password, no token, no address and no state. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  /** Whether an operator must act before it can work: a wrong password, a file that is no database. */
  readonly lasting: boolean
  /** Seconds that the store asks to wait. */
  readonly retryAfter: number | undefined

  constructor(message: string, { lasting = false, retryAfter }: Failure = {}) {
    super(message)
    this.lasting = lasting
    this.retryAfter = retryAfter
  }
}
