/** Functions waiting for something to happen to a key. Holds nothing for a key that nobody waits for. */
export class KeyedWaiters {
  readonly #waiting = new Map<string, Set<() => void>>()

  /** Calls `fn` at every `wake(key)` until the returned function is called. */
  on(key: string, fn: () => void): () => void {
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting)
    waiting.add(fn)
    return () => {
      waiting.delete(fn)
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key)
    }
  }

  wake(key: string): void {
    for (const fn of [...(this.#waiting.get(key) ?? [])]) fn()
  }

  /** How many keys are waited for. */
  get size(): number {
    return this.#waiting.size
  }
}
