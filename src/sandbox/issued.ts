import type { Clock } from '../lib/clock.ts'

/** What a fake has given out and has not yet ended, by name. */
export class Issued<T extends { readonly expiresAt: number }> {
  readonly #clock: Clock
  readonly #limit: number
  readonly #entries = new Map<string, T>()

  /** @param options.limit entries remembered at most; the oldest is forgotten, and so dead, beyond it */
  constructor(options: { readonly clock: Clock; readonly limit?: number | undefined }) {
    this.#clock = options.clock
    this.#limit = options.limit ?? 20_000
  }

  /** Remembers `value` until its `expiresAt` (milliseconds since the epoch). */
  add(name: string, value: T): void {
    this.#entries.set(name, value)
    for (const [oldest, { expiresAt }] of this.#entries) {
      if (this.#entries.size <= this.#limit && expiresAt > this.#clock.now()) break
      this.#entries.delete(oldest)
    }
  }

  /** @returns undefined if nothing was given out by that name, or it is forgotten or has ended */
  find(name: string): T | undefined {
    const found = this.#entries.get(name)
    return found && found.expiresAt > this.#clock.now() ? found : undefined
  }

  /** Whether something was given out by that name, ended or not, as far back as is remembered. */
  remembers(name: string): boolean {
    return this.#entries.has(name)
  }
}
