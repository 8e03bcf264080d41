/** A pending timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void
}

/**
 * The passage of time as the daemon sees it. Everything that waits, expires or is measured takes one, so that a
 * test can move time by hand.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch, as `Date.now()`. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds. The timer never keeps the process alive. */
  after(ms: number, fn: () => void): Timer
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    const handle = setTimeout(fn, Math.min(ms, 0x7fffffff))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
