/** Lets through a bounded number at a time, in order; the others wait. */
export interface Turnstile<T> {
  /** Queues `item`, once; lets it through now if there is room. */
  add(item: T): void
  /** Takes `item` out of the queue. */
  remove(item: T): void
  /** One that was let through is done. To be called once for each. */
  leave(): void
}

/**
 * @param limit how many may be inside
 * @param enter called for each that is let through; must see to it that `leave` is called in the end
 */
export function createTurnstile<T>(limit: number, enter: (item: T) => void): Turnstile<T> {
  const waiting = new Set<T>()
  let inside = 0
  const admit = () => {
    for (const item of waiting) {
      if (inside >= limit) return
      waiting.delete(item)
      inside++
      enter(item)
    }
  }
  return {
    add(item) {
      waiting.add(item)
      admit()
    },
    remove: (item) => void waiting.delete(item),
    leave() {
      inside--
      admit()
    },
  }
}
