import type { IdentificationStrategy } from '../strategy.ts'
import { translatesAddresses } from './translates-addresses.ts'
import { unprovedCaller } from './unproved-caller.ts'

/**
 * A strategy that follows proof, held to what proof has left to it: pods about which nothing can be proved. It asks on its own and
 * later, by a live read too, and so may come to another pod than the one for whose sake the connection was left to it.
 *
 * @param sandboxedRuntimes see `ProofStrategyOptions`
 */
export function whereUnprovable(
  strategy: IdentificationStrategy,
  sandboxedRuntimes: readonly string[],
): IdentificationStrategy {
  return {
    name: strategy.name,

    recall(attempt) {
      const known = strategy.recall(attempt)
      if (known === undefined || known === 'ask') return known
      return translatesAddresses(known.pod, sandboxedRuntimes) ? known : 'ask'
    },

    async identify(attempt) {
      const found = await strategy.identify(attempt)
      if (found !== undefined && !translatesAddresses(found.pod, sandboxedRuntimes)) throw unprovedCaller()
      return found
    },
  }
}
