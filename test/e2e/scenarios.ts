import type { Scenario } from './scenario.ts'
import { allowed } from './scenarios/allowed.ts'
import { alreadyOpen } from './scenarios/already-open.ts'
import { bind } from './scenarios/bind.ts'
import { bootOrder } from './scenarios/boot-order.ts'
import { containerCredentials } from './scenarios/container-credentials.ts'
import { control } from './scenarios/control.ts'
import { drift } from './scenarios/drift.ts'
import { flushed } from './scenarios/flushed.ts'
import { frozen } from './scenarios/frozen.ts'
import { killed } from './scenarios/killed.ts'
import { oddPackets } from './scenarios/odd-packets.ts'
import { poisonedBridge } from './scenarios/poisoned-bridge.ts'
import { rollingUpdate } from './scenarios/rolling-update.ts'
import { selfTest } from './scenarios/self-test.ts'
import { spoofedSource } from './scenarios/spoofed-source.ts'
import { steady } from './scenarios/steady.ts'
import { stolenAddress } from './scenarios/stolen-address.ts'
import { unchangedClients } from './scenarios/unchanged-clients.ts'
import { uninstall } from './scenarios/uninstall.ts'

/** All of them, in the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  control,
  steady,
  allowed,
  rollingUpdate,
  flushed,
  killed,
  frozen,
  bootOrder,
  alreadyOpen,
  drift,
  oddPackets,
  spoofedSource,
  stolenAddress,
  poisonedBridge,
  bind,
  selfTest,
  containerCredentials,
  unchangedClients,
  uninstall,
]
