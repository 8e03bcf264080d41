import type { Finding } from '../cluster/scenario.ts'
import type { World } from './world.ts'

/** Something that happens to a cluster, and what its pods see meanwhile. Scenarios share one cluster, in their order. */
export interface Scenario {
  readonly name: string
  /** @throws Error if something is not as it must be that has no column */
  run(world: World): Promise<Omit<Finding, 'apiCalls'>>
}
