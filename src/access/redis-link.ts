import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'

/** A start waits no longer for a server that does not answer. */
const CONNECT_MS = 1000

/** A call waits no longer for an answer. */
const COMMAND_MS = 500

/** How long a server that failed is left alone before it is asked whether it is back. */
const REST_MS = 1000

/** Whether the server takes what limits write, which one that only reads, or that is full, does not while it answers PING. */
const TRIAL = "redis.call('INCR', KEYS[1]) return redis.call('PEXPIRE', KEYS[1], 1000)"
const TRIAL_KEY = 'key-server:limit:trial'

/** A Redis or Valkey that nobody has to wait for: after a failure it is not asked until it takes a trial. */
export class RedisLink {
  readonly redis: Redis
  readonly #log: FastifyBaseLogger
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #healthy = true
  #errors = 0
  /** What ended the connection; who asks on it hears no more than that it is closed. */
  #cause: string | undefined

  private constructor(redis: Redis, log: FastifyBaseLogger) {
    this.redis = redis
    this.#log = log
  }

  /** @param url `redis://` or, with TLS, `rediss://`; it may hold a user, a password and the number of a database. */
  static async open(url: string, log: FastifyBaseLogger): Promise<RedisLink> {
    const { Redis: Client } = await import('ioredis')
    const redis = new Client(url, {
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      commandTimeout: COMMAND_MS,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => REST_MS,
    })
    const link = new RedisLink(redis, log)
    redis.on('error', ({ message }: Error) => {
      link.#cause = message
    })
    await redis.connect().catch((error: Error) => link.#lost(error))
    return link
  }

  get healthy(): boolean {
    return this.#healthy
  }

  get errors(): number {
    return this.#errors
  }

  /** What the server says, or `otherwise` while it fails. */
  async ask<T>(question: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    if (!this.#healthy) return otherwise()
    try {
      return await question()
    } catch (error) {
      this.#lost(error as Error)
      return otherwise()
    }
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.redis.disconnect()
  }

  #lost({ message }: Error): void {
    this.#errors++
    if (!this.#healthy || this.#closed) return
    this.#healthy = false
    this.#log.warn(
      `The store of rate limits is away, so that each server limits by itself: ${this.#cause ?? message}`,
    )
    this.#cause = undefined
    this.#rest()
  }

  #rest(): void {
    this.#timer = setTimeout(() => {
      this.redis.eval(TRIAL, 1, TRIAL_KEY).then(
        () => {
          this.#healthy = true
          this.#log.info('The store of rate limits is back')
        },
        () => this.#closed || this.#rest(),
      )
    }, REST_MS).unref()
  }
}
