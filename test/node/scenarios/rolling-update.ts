import { setTimeout } from 'node:timers/promises'
import { rolledOut } from '../daemon/pods-of.ts'
import { endLoads } from '../pods/end-loads.ts'
import { createIdentities } from '../pods/identities.ts'
import { startLoad } from '../pods/start-load.ts'
import type { Scenario } from '../scenario.ts'

const DAEMON_SET = '/apis/apps/v1/namespaces/metadatad/daemonsets/metadatad'
const CLIENT_MS = 3_000
const LIMIT_MS = 120_000
/** As long as a daemon that is replaced goes on with new connections. */
const AFTER_MS = 16_000

/** A new template is rolled out while a pod on each node asks about 20 times a second, on new connections and on kept ones. */
export const rollingUpdate: Scenario = {
  name: 'rolling-update',
  async run(world) {
    const identities = await createIdentities(world)
    const loads = await Promise.all(
      world.nodes.map((node, i) =>
        startLoad(world, { name: `load-${node.name}`, node, identity: identities[i]!, timeoutMs: CLIENT_MS }),
      ),
    )
    const startedAt = performance.now()
    const metadata = { annotations: { 'example.com/rolled-at': new Date().toISOString() } }
    await world.plane.admin.merge(DAEMON_SET, { spec: { template: { metadata } } })
    await rolledOut(world, 'metadatad', LIMIT_MS)
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    await setTimeout(AFTER_MS)
    const { requests, failures, wrongIdentities, slowestMs, text } = await endLoads(world, loads)
    return {
      operations: requests,
      failures,
      wrongIdentities,
      note: `requests; rolled out in ${seconds} s; failed: ${text}; slowest answer ${slowestMs} ms`,
    }
  },
}
