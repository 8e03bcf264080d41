import type { KubeObject } from '../../cluster/api.ts'
import type { LabNode } from '../lab/lab-node.ts'

/**
 * The number, inside its node, of the first process of a pod's container.
 *
 * @param pod with the container as its only one
 */
export async function containerPid({ ctr }: LabNode, pod: KubeObject): Promise<number> {
  const id = pod.status.containerStatuses[0].containerID.replace('containerd://', '')
  const tasks = await ctr('tasks', 'list')
  const line = tasks.split('\n').find((it) => it.startsWith(id))
  const pid = Number(line?.split(/\s+/)[1])
  if (!(pid > 1)) throw new Error(`containerd knows no process of ${pod.metadata.name}`)
  return pid
}
