import type { Scenario } from './scenario.ts'
import { firstInstruction } from './scenarios/first-instruction.ts'
import { hostNetwork } from './scenarios/host-network.ts'
import { install } from './scenarios/install.ts'
import { killed } from './scenarios/killed.ts'
import { nodeReadded } from './scenarios/node-readded.ts'
import { rollingUpdate } from './scenarios/rolling-update.ts'

/** All of them, in their order. The first sets up what the others need. */
export const SCENARIOS: readonly Scenario[] = [
  install,
  firstInstruction,
  hostNetwork,
  rollingUpdate,
  killed,
  nodeReadded,
]
