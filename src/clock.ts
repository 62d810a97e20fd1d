import { setTimeout as sleep } from 'node:timers/promises'

/** Time, as the key space's machinery sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds that only go forward. */
  now(): number
  /** Milliseconds since the epoch. */
  wall(): number
  sleep(milliseconds: number): Promise<void>
  /** Runs a task again and again until the function that it returns is called. */
  repeat(milliseconds: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (milliseconds) => sleep(milliseconds),
  repeat: (milliseconds, task) => {
    const timer = setInterval(task, milliseconds).unref()
    return () => clearInterval(timer)
  },
}
