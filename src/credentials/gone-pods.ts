/** Pods that went away a moment ago, so that a request which was already under way does not bring them back. */
export interface GonePods {
  add(uid: string, now: number): void
  has(uid: string, now: number): boolean
}

/**
 * Remembers at most `capacity` pods for `ttlMs` each. Not for ever: a watch that lost a pod by mistake and found it
 * again must be able to mend that.
 */
export function createGonePods(ttlMs: number, capacity: number): GonePods {
  // Insertion order is the order of ending, because every pod stays equally long.
  const ends = new Map<string, number>()
  return {
    add(uid, now) {
      ends.delete(uid)
      ends.set(uid, now + ttlMs)
      for (const [oldest, end] of ends) {
        if (end > now && ends.size <= capacity) break
        ends.delete(oldest)
      }
    },
    has(uid, now) {
      return (ends.get(uid) ?? 0) > now
    },
  }
}
