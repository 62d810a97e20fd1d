import type { FastifyBaseLogger } from 'fastify'
import { KeyspaceFenced, KeyspaceUnavailable, Problem } from '../problems/problems.ts'
import { StoreError } from '../stores/store.ts'
import { UnreadableKeySpace } from './key-space-text.ts'
import { WrongSecret } from './seal.ts'
import { Contended, Fenced } from './shared-space-errors.ts'

/** What may go wrong with a store; anything else is a defect. */
const expected = [StoreError, Contended, UnreadableKeySpace, WrongSecret]

/** What keeps a replica from its work, told once in the log and in their words to clients. */
export class Troubles {
  readonly #log: FastifyBaseLogger
  #last: string | undefined
  #skewed = false

  constructor(log: FastifyBaseLogger) {
    this.#log = log
  }

  /** What a client is told of an error, which is logged when it is another than the one before. */
  report(error: unknown): unknown {
    if (error instanceof Problem) return error
    const { name, message } = error as Error
    const trouble = `${name}: ${message}`
    if (this.#last !== trouble) this.#log.error({ err: error }, 'Unique keys can not be leased')
    this.#last = trouble
    if (error instanceof Fenced) return new KeyspaceFenced()
    return expected.some((kind) => error instanceof kind) ? new KeyspaceUnavailable() : error
  }

  /** All went well; `skewed` says whether the clock here is too far from that of the store. */
  over(skewed: boolean): void {
    if (this.#last !== undefined) this.#log.info('Unique keys can be dealt again')
    this.#last = undefined
    if (skewed === this.#skewed) return
    this.#skewed = skewed
    if (skewed) {
      this.#log.warn(
        'The clock here and that of the store differ by more than 5 minutes: this server rotates nothing',
      )
    } else this.#log.info('The clock here and that of the store agree again')
  }
}
