import type { Clock, Timer } from '../../src/lib/clock.ts'

/**
 * A clock on which waits shorter than any attempt's limit elapse at once, so that retries need no real time, while the
 * limits themselves pass only when `expire` says so.
 */
export class HastyClock implements Clock {
  #now = Date.UTC(2026, 0, 1)
  /** The waits that elapsed, in milliseconds. */
  readonly waits: number[] = []
  readonly #limits = new Set<{ at: number; fn: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, fn: () => void): Timer {
    if (ms >= 5_000) {
      const limit = { at: this.#now + ms, fn }
      this.#limits.add(limit)
      return { cancel: () => this.#limits.delete(limit) }
    }
    const handle = setImmediate(() => {
      this.#now += ms
      this.waits.push(ms)
      fn()
    })
    return { cancel: () => clearImmediate(handle) }
  }

  /** The limits that still run. */
  get limits(): number {
    return this.#limits.size
  }

  /** Lets `ms` milliseconds pass, and the limits that end in them. */
  expire(ms: number): void {
    this.#now += ms
    for (const limit of [...this.#limits]) {
      if (limit.at <= this.#now && this.#limits.delete(limit)) limit.fn()
    }
  }
}
