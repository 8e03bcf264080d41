import type { Reflector } from '../kubernetes/reflector.ts'
import type { Clock } from '../lib/clock.ts'

/** After so long without a word of the API server what is known counts as stale. */
const STALE_MS = 120_000

/**
 * Why the daemon can't rely on what it knows of a resource, for `/readyz`: never listed, or not heard of for two minutes.
 * Undefined if it can.
 */
export function staleness(reflector: Reflector, clock: Clock): string | undefined {
  const { lastError } = reflector
  const because = lastError === undefined ? '' : `: ${lastError.message}`
  if (!reflector.synced) return `no complete list from the API server yet${because}`
  const age = clock.now() - reflector.reachedAt
  if (age < STALE_MS) return undefined
  return `nothing heard from the API server for ${Math.floor(age / 1000)} s, serving what was known then${because}`
}
