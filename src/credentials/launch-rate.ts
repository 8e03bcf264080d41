import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'

/** How often a pod's requests may have something obtained. */
export interface LaunchRate {
  /** Takes one from the pod's bucket; false if it is empty. */
  take(podUid: string): boolean
}

/** How to make a {@link LaunchRate}. */
export interface LaunchRateOptions {
  readonly clock: Clock
  /** What a bucket holds. */
  readonly burst: number
  /** What flows into it. */
  readonly perSecond: number
}

/** More pods than a node runs; one that falls out of the table starts with a full bucket. */
const PODS = 4_096

/**
 * A bucket for each pod. A pod that asks for one new audience after the other is held to the rate, because the quotas of
 * token services are the whole project's.
 */
export function createLaunchRate({ clock, burst, perSecond }: LaunchRateOptions): LaunchRate {
  const buckets = new LRUCache<string, { level: number; at: number }>({ max: PODS })
  return {
    take(podUid) {
      const now = clock.now()
      const bucket = buckets.get(podUid) ?? { level: burst, at: now }
      bucket.level = Math.min(burst, bucket.level + (Math.max(0, now - bucket.at) * perSecond) / 1_000)
      bucket.at = now
      buckets.set(podUid, bucket)
      if (bucket.level < 1) return false
      bucket.level--
      return true
    },
  }
}
