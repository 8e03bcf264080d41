import type { KubeObject } from '../../cluster/api.ts'
import { waitFor } from '../wait-for.ts'
import type { World } from '../world.ts'

/** The DaemonSets of the manifests, which are also the values of their pods' label `app.kubernetes.io/name`. */
export type Part = 'metadatad' | 'metadatad-probe'

const NAMESPACE = '/namespaces/metadatad'

/** The pods of one of the manifests' DaemonSets that are not about to end, or those of one node. */
export async function podsOf({ plane }: World, part: Part, node?: string): Promise<KubeObject[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${part}`)
  const { items } = await plane.admin.get(`/api/v1${NAMESPACE}/pods?labelSelector=${selector}`)
  return items.filter(
    ({ metadata, spec }: KubeObject) =>
      metadata.deletionTimestamp === undefined && (node === undefined || spec.nodeName === node),
  )
}

/** Waits until every node has a pod of the DaemonSet's newest template that is ready, and no other. */
export async function rolledOut(world: World, part: Part, timeoutMs: number): Promise<void> {
  await waitFor(`DaemonSet ${part} to be rolled out`, timeoutMs, async () => {
    const { metadata, status } = await world.plane.admin.get(`/apis/apps/v1${NAMESPACE}/daemonsets/${part}`)
    const counts = [status.desiredNumberScheduled, status.updatedNumberScheduled, status.numberAvailable]
    return (
      status.observedGeneration === metadata.generation && counts.every((it) => it === world.nodes.length)
    )
  })
}
