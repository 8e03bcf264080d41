import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'

/** How long Entra may take until it finds a new application or federated credential everywhere. */
const SETTLING_MS = 5 * 60_000
const MAX_BINDINGS = 1_024

/**
 * Which bindings of a ServiceAccount to an application may be too new for Entra. The daemon can't know when they were made,
 * but it knows when it was first refused: for some minutes from then on, a refusal may pass by itself.
 */
export interface AzureSettling {
  /** Entra did not find the binding. May it be too new? */
  missing(binding: string): boolean
  /** Entra found the binding. */
  found(binding: string): void
}

/** See {@link AzureSettling}. What is forgotten, because there are too many, counts as new. */
export function createAzureSettling(clock: Clock): AzureSettling {
  const since = new LRUCache<string, number>({ max: MAX_BINDINGS })
  return {
    missing(binding) {
      const now = clock.now()
      const first = since.get(binding) ?? now
      since.set(binding, first)
      return now - first < SETTLING_MS
    },
    found: (binding) => void since.delete(binding),
  }
}
