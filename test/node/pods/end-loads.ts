import type { World } from '../world.ts'
import type { RunningLoad } from './start-load.ts'

/** What load pods saw, added up. */
export interface Tally {
  readonly requests: number
  readonly failures: number
  readonly refused: number
  readonly wrongIdentities: number
  readonly slowestMs: number
  /** `2 timed out, 1 × 503`; `none`. */
  readonly text: string
}

/** Ends load pods, and asks the cloud whose the tokens are that they were given. */
export async function endLoads({ clouds }: World, loads: readonly RunningLoad[]): Promise<Tally> {
  const ended = await Promise.all(loads.map(async ({ identity, end }) => ({ identity, result: await end() })))
  const results = ended.map(({ result }) => result)
  const sum = (
    key: 'requests' | 'refused' | 'reset' | 'keptReset' | 'timeouts' | 'heldInVain' | 'wrongIdentities',
  ) => results.reduce((total, result) => total + result[key], 0)
  const foreign = ended.flatMap(({ identity, result }) =>
    result.tokens.google.filter((token) => clouds.google.inspect(token)?.identity !== identity.email),
  )
  const kinds = [
    [sum('refused'), 'refused'],
    [sum('reset'), 'reset'],
    [sum('keptReset'), 'reset when used again'],
    [sum('timeouts'), 'timed out'],
    ...results.flatMap(({ unexpected }) =>
      Object.entries(unexpected).map(([what, count]) => [count, `× ${what}`] as const),
    ),
  ] as const
  const seen = kinds.filter(([count]) => count > 0)
  const held = sum('heldInVain')
  return {
    requests: sum('requests'),
    failures: seen.reduce((total, [count]) => total + count, 0),
    refused: sum('refused'),
    wrongIdentities: sum('wrongIdentities') + foreign.length,
    slowestMs: Math.max(...results.map(({ slowestMs }) => slowestMs)),
    text: `${seen.length === 0 ? 'none' : seen.map(([count, what]) => `${count} ${what}`).join(', ')}${held === 0 ? '' : ` (${held} held in vain and asked again)`}`,
  }
}
