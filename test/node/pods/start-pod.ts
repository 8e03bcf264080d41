import type { KubeObject } from '../../cluster/api.ts'
import { waitFor } from '../wait-for.ts'
import type { World } from '../world.ts'
import { type ClientPod, clientPod } from './client-pod.ts'

const LIMIT_MS = 120_000

/** A pod that runs until it is disposed of. */
export interface RunningPod extends AsyncDisposable {
  readonly name: string
  readonly uid: string
}

/** Creates a pod of namespace `default`, and waits until its container runs. */
export async function startPod({ plane: { admin } }: World, pod: ClientPod): Promise<RunningPod> {
  const collection = '/api/v1/namespaces/default/pods'
  const path = `${collection}/${pod.name}`
  const created: KubeObject = await admin.create(collection, clientPod(pod))
  const remove = async () => {
    await admin.delete(path, 0)
  }
  try {
    await waitFor(`pod ${pod.name} to run`, LIMIT_MS, async () => {
      const { status } = await admin.get(path)
      return status.containerStatuses?.[0]?.state?.running !== undefined
    })
  } catch (err) {
    await remove()
    throw err
  }
  return { name: pod.name, uid: created.metadata.uid, [Symbol.asyncDispose]: remove }
}
