import { eventually } from '../support/eventually.ts'
import type { Recorded } from './start-relay.ts'

/**
 * Runs a client until it is answered whatever it asks: libraries wait for a second, which a starved machine may need for an
 * answer, and what they do without one says nothing of the daemon.
 */
export function answered<Ran extends { readonly requests: readonly Recorded[] }>(
  run: () => Promise<Ran>,
): Promise<Ran> {
  return eventually(run, ({ requests }) => requests.every(({ status }) => status !== undefined))
}
