import type { Clock, Timer } from '../../lib/clock.ts'

/** What bounds long polls. */
export interface LongPollsOptions {
  readonly clock: Clock
  /** In all. */
  readonly total: number
  /** From one address. */
  readonly perAddress: number
}

/** How often a poll that depends on its caller looks whether that is still valid: nothing tells it. */
const LOOK_MS = 1000

/** Requests that wait for something to change. */
export class LongPolls {
  readonly #options: LongPollsOptions
  readonly #waiters = new Set<Waiter>()
  readonly #byAddress = new Map<string, number>()
  #open = 0
  #generation = 0
  #look: Timer | undefined
  #closed = false

  constructor(options: LongPollsOptions) {
    this.#options = options
  }

  /** No poll waits any more. */
  get closed(): boolean {
    return this.#closed
  }

  /** Changes with every `wake`. */
  get generation(): number {
    return this.#generation
  }

  /** Takes a place for one poll, to be given back by the returned function; undefined if all are taken. */
  enter(address: string): (() => void) | undefined {
    const count = this.#byAddress.get(address) ?? 0
    if (count >= this.#options.perAddress || this.#open >= this.#options.total) return undefined
    this.#byAddress.set(address, count + 1)
    this.#open++
    return () => {
      this.#open--
      const left = this.#byAddress.get(address)! - 1
      if (left === 0) this.#byAddress.delete(address)
      else this.#byAddress.set(address, left)
    }
  }

  /**
   * Resolves at the next `wake`, when `stale` is seen true, after `ms` milliseconds, when `signal` is aborted, or when
   * closed; at once if any of these is so already. Never rejects.
   *
   * @param since the generation in which the value was read that is waited to change
   */
  wait(since: number, ms: number, signal: AbortSignal, stale: (() => boolean) | undefined): Promise<void> {
    return new Promise((resolve) => {
      const late = since !== this.#generation || stale?.()
      if (late || this.#closed || signal.aborted || ms <= 0) return resolve()
      const end = () => {
        timer.cancel()
        signal.removeEventListener('abort', end)
        this.#waiters.delete(waiter)
        resolve()
      }
      const timer = this.#options.clock.after(ms, end)
      const waiter: Waiter = { end, stale }
      signal.addEventListener('abort', end, { once: true })
      this.#waiters.add(waiter)
      if (stale !== undefined) this.#look ??= this.#options.clock.after(LOOK_MS, () => this.#lookAround())
    })
  }

  /** Something changed that any poll may wait for. */
  wake(): void {
    this.#generation++
    for (const waiter of [...this.#waiters]) waiter.end()
  }

  close(): void {
    this.#closed = true
    this.#look?.cancel()
    this.wake()
  }

  #lookAround(): void {
    this.#look = undefined
    let again = false
    for (const waiter of [...this.#waiters]) {
      if (waiter.stale === undefined) continue
      if (waiter.stale()) waiter.end()
      else again = true
    }
    if (again) this.#look ??= this.#options.clock.after(LOOK_MS, () => this.#lookAround())
  }
}

interface Waiter {
  readonly end: () => void
  readonly stale: (() => boolean) | undefined
}
