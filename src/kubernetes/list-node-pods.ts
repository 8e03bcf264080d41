import type { Clock } from '../lib/clock.ts'
import type { KubernetesClient } from './client.ts'
import { decodePod } from './decode-pod.ts'
import { listPages } from './list-pages.ts'
import { kubernetesError } from './status-error.ts'
import type { Pod } from './types.ts'

/**
 * Every pod of a node as it is now: one consistent list, no older than the call.
 *
 * @throws MetadatadError `KUBERNETES_*`; `KUBERNETES_INVALID` if any pod can not be read, because the answer is used to
 * tell that an address has no other owner
 */
export async function listNodePods(
  client: KubernetesClient,
  nodeName: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Pod[]> {
  const request = {
    verb: 'list',
    resource: 'pods',
    path: '/api/v1/pods',
    query: { fieldSelector: `spec.nodeName=${nodeName}` },
    signal,
  } as const
  const pods: Pod[] = []
  for await (const page of listPages({ client, request, clock })) {
    for (const item of page.items) {
      const pod = decodePod(item)
      if (pod === undefined) {
        throw kubernetesError('KUBERNETES_INVALID', request, 'a pod can not be read', { retryable: true })
      }
      pods.push(pod)
    }
  }
  return pods
}
