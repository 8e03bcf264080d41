import type { Scenario } from './scenario.ts'
import { admissionPolicy } from './scenarios/admission-policy.ts'
import { apiRestart } from './scenarios/api-restart.ts'
import { bigCluster } from './scenarios/big-cluster.ts'
import { churn } from './scenarios/churn.ts'
import { compaction } from './scenarios/compaction.ts'
import { containerTokens } from './scenarios/container-tokens.ts'
import { events } from './scenarios/events.ts'
import { frozenEtcd } from './scenarios/frozen-etcd.ts'
import { keyRotation } from './scenarios/key-rotation.ts'
import { leastPrivilege } from './scenarios/least-privilege.ts'
import { nodeIdentity } from './scenarios/node-identity.ts'
import { olderApiServer } from './scenarios/older-api-server.ts'
import { projectedTokens } from './scenarios/projected-tokens.ts'
import { threeClouds } from './scenarios/three-clouds.ts'
import { tokenRequest } from './scenarios/token-request.ts'
import { watchLists } from './scenarios/watch-lists.ts'

/** Every scenario, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  threeClouds,
  tokenRequest,
  containerTokens,
  keyRotation,
  admissionPolicy,
  churn,
  watchLists,
  compaction,
  apiRestart,
  frozenEtcd,
  leastPrivilege,
  projectedTokens,
  nodeIdentity,
  olderApiServer,
  events,
  bigCluster,
]
