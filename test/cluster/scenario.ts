import type { World } from './world.ts'

/** What a scenario found: one row of the table. */
export interface Finding {
  /** What was done, in units that the note names: requests of pods, lifecycles, refusals tried. */
  readonly operations: number
  /** Those that did not end as they must. */
  readonly failures: number
  /** Answers and tokens that were another pod's. */
  readonly wrongIdentities: number
  /** Requests of the daemons that the API server wrote down; undefined where they say nothing. */
  readonly apiCalls: number | undefined
  /** What else is worth knowing, and what the scenario shows besides. */
  readonly note: string
}

/** Something that a real cluster does, and what daemon and pods see of it. */
export interface Scenario {
  readonly name: string
  /** Milliseconds after which it has failed; 2 min unless said. */
  readonly limitMs?: number
  /** @throws Error if something is not as it must be that has no column */
  run(world: World): Promise<Finding>
}
