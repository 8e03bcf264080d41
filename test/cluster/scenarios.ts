import type { Scenario } from './scenario.ts'
import { threeClouds } from './scenarios/three-clouds.ts'

/** Every scenario, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [threeClouds]
