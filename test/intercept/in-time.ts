import { eventually } from '../support/eventually.ts'
import type { Ran } from '../support/net-namespace.ts'

/** Runs `metadatad intercept …` again where a starved machine let the time for `nft` and `ip` run out: it is said to be. */
export function inTime(run: () => Promise<Ran>): Promise<Ran> {
  return eventually(run, ({ stderr }) => !/INTERCEPT_FAILED: (?:nft|ip) did not end in time/.test(stderr))
}
