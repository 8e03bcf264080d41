import type { KubeObject } from '../../cluster/api.ts'
import { podsOf, rolledOut } from '../daemon/pods-of.ts'
import type { LabNode } from '../lab/lab-node.ts'
import { askFirst } from '../pods/ask-first.ts'
import { endLoads } from '../pods/end-loads.ts'
import { createIdentities } from '../pods/identities.ts'
import { PodWatch } from '../pods/pod-watch.ts'
import { CURL_AWS, CURL_GOOGLE } from '../pods/questions.ts'
import { startLoad } from '../pods/start-load.ts'
import type { Scenario } from '../scenario.ts'
import { waitFor } from '../wait-for.ts'
import type { World } from '../world.ts'

const CLIENT_MS = 3_000
const READY_MS = 90_000

/** A node leaves the cluster with all its pods and joins it again, while the other one serves on. */
export const nodeReadded: Scenario = {
  name: 'node-readded',
  async run(world) {
    const [other, node] = world.nodes as [LabNode, LabNode]
    const identities = await createIdentities(world)
    const load = await startLoad(world, {
      name: 'load',
      node: other,
      identity: identities[0]!,
      timeoutMs: CLIENT_MS,
    })
    const startedAt = performance.now()
    const removed = await remove(world, node)
    await node.kubelet.kill()
    await node.kubelet.start()
    await waitFor(`node ${node.name} to have a new daemon`, READY_MS, async () => {
      const [pod] = await podsOf(world, 'metadatad', node.name)
      // What the DaemonSet says may still be of the time before.
      const [daemon] = pod?.status.containerStatuses ?? []
      return pod !== undefined && !removed.includes(pod.metadata.uid) && daemon?.ready === true
    })
    await rolledOut(world, 'metadatad', READY_MS)
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    using watch = await PodWatch.start(world.plane)
    const asked = await Promise.all(
      [CURL_GOOGLE, CURL_AWS].map((question, i) =>
        askFirst(world, watch, { name: `again-${i}`, node, identity: identities[1]!, question }),
      ),
    )
    const tally = await endLoads(world, [load])
    return {
      operations: tally.requests + asked.length,
      failures: tally.failures + asked.filter(({ outcome }) => outcome === 'failed').length,
      wrongIdentities: tally.wrongIdentities + asked.filter(({ outcome }) => outcome === 'wrong').length,
      note: `requests; the node's new daemon was ready ${seconds} s after the Node was deleted; ${asked.map(({ message }) => message).join(' ')} the other node's pods: failed: ${tally.text}, slowest answer ${tally.slowestMs} ms`,
    }
  },
}

/**
 * Deletes a Node, and its pods as the garbage collector of pods does a minute later.
 *
 * @returns the pods' UIDs
 */
async function remove({ plane: { admin } }: World, { name }: LabNode): Promise<string[]> {
  await admin.delete(`/api/v1/nodes/${name}`)
  const { items } = await admin.get(`/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`)
  await Promise.all(
    items.map((pod: KubeObject) =>
      // The DaemonSets' controller may be faster.
      admin.ask(
        'DELETE',
        `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}?gracePeriodSeconds=0`,
      ),
    ),
  )
  return items.map((pod: KubeObject) => pod.metadata.uid)
}
