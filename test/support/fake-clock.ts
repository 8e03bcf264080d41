import type { Clock, Timer } from '../../src/lib/clock.ts'

/** A clock that stands still until `advance` moves it. */
export class FakeClock implements Clock {
  #now: number
  #sequence = 0
  readonly #timers = new Map<number, { at: number; fn: () => void }>()

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, fn: () => void): Timer {
    const id = this.#sequence++
    this.#timers.set(id, { at: this.#now + Math.max(0, ms), fn })
    return { cancel: () => this.#timers.delete(id) }
  }

  /** How many timers are pending. */
  get pending(): number {
    return this.#timers.size
  }

  /**
   * Moves time on by `ms`, running what falls due in order of time. Between two timers, and at the end, promise reactions
   * run, so that what a timer set off can set timers of its own.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      let next: [number, { at: number; fn: () => void }] | undefined
      for (const entry of this.#timers) {
        if (entry[1].at <= end && (next === undefined || entry[1].at < next[1].at)) next = entry
      }
      if (next === undefined) break
      this.#timers.delete(next[0])
      this.#now = Math.max(this.#now, next[1].at)
      next[1].fn()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** Lets every promise reaction that is due run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
