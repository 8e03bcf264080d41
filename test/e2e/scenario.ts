import type { World } from './world.ts'

/** What a scenario found: one row of the table. */
export interface Finding {
  /** Made by pods. */
  readonly requests: number
  /** Those that did not end as they must, in words of the scenario. */
  readonly failures: number
  /** Packets of pods for metadata addresses that were seen outside the node, from the moment the rules were in place. */
  readonly packetsAtCloud: number
  /** Answers and tokens that were another pod's. */
  readonly wrongIdentities: number
  /** What else is worth knowing, and what the scenario shows besides. */
  readonly note: string
}

/** Something that happens to a node, and what its pods see meanwhile. */
export interface Scenario {
  readonly name: string
  /** Shows that the test bed leaks where nothing prevents it: its packets are meant to be seen. */
  readonly control?: boolean
  /** Runs beside no other scenario: how long the daemon takes to answer is part of what it shows. */
  readonly alone?: boolean
  /** @throws Error if something is not as it must be that has no column */
  run(world: World): Promise<Finding>
}
