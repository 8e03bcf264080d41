import type { FailedRequest, LoadResult } from './client/load.ts'
import type { RunningLoad } from './client/start-load.ts'
import type { World } from './world.ts'

/** What load clients saw, added up. */
export interface Tally {
  readonly requests: number
  readonly refused: number
  /** Broken while their answer was awaited, on new connections or on kept ones that had been idle. */
  readonly reset: number
  readonly keptReset: number
  readonly timeouts: number
  readonly unexpected: Readonly<Record<string, number>>
  readonly wrongIdentities: number
  readonly slowestMs: number
  /** Each of the failures. */
  readonly failed: readonly FailedRequest[]
  /** Of every kind. */
  readonly failures: number
  /** `2 refused, 1 × 503`; `none`; and what is no failure, but worth knowing. */
  readonly text: string
}

/** Ends load clients, and adds up what they saw; every token's owner is asked of the cloud that gave it out. */
export async function endLoads(world: World, loads: readonly RunningLoad[]): Promise<Tally> {
  const results = await Promise.all(loads.map(async (load) => ({ load, result: await load.end() })))
  const sum = (
    key: 'requests' | 'refused' | 'reset' | 'keptReset' | 'timeouts' | 'heldInVain' | 'wrongIdentities',
  ) => results.reduce((total, { result }) => total + result[key], 0)
  const unexpected = addUp(results.map(({ result }) => result))
  const { google, aws, azure } = world.sandbox
  const foreign = results.flatMap(({ load: { pod }, result: { tokens } }) => [
    ...tokens.google.filter((token) => google.inspect(token)?.identity !== pod.spec.email),
    ...tokens.aws.filter((id) => aws.inspect(id)?.podUid !== pod.spec.uid),
    ...tokens.azure.filter((token) => azure.inspect(token)?.clientId !== pod.spec.clientId),
  ])
  const counts = {
    requests: sum('requests'),
    refused: sum('refused'),
    reset: sum('reset'),
    keptReset: sum('keptReset'),
    timeouts: sum('timeouts'),
  }
  const kinds: Record<string, number> = {
    refused: counts.refused,
    reset: counts.reset,
    'reset when used again': counts.keptReset,
    'timed out': counts.timeouts,
    ...Object.fromEntries(Object.entries(unexpected).map(([what, count]) => [`× ${what}`, count])),
  }
  const held = sum('heldInVain')
  const kindsSeen = Object.entries(kinds).filter(([, count]) => count > 0)
  return {
    ...counts,
    unexpected,
    wrongIdentities: sum('wrongIdentities') + foreign.length,
    failed: results.flatMap(({ result }) => result.failed),
    slowestMs: Math.max(...results.map(({ result }) => result.slowestMs)),
    failures: kindsSeen.reduce((total, [, count]) => total + count, 0),
    text: `${kindsSeen.length === 0 ? 'none' : kindsSeen.map(([what, count]) => `${count} ${what}`).join(', ')}${held === 0 ? '' : ` (${held} held in vain and asked again)`}`,
  }
}

function addUp(results: readonly LoadResult[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const { unexpected } of results)
    for (const [what, count] of Object.entries(unexpected)) total[what] = (total[what] ?? 0) + count
  return total
}
