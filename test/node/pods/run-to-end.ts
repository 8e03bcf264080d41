import { waitFor } from '../wait-for.ts'
import type { World } from '../world.ts'
import { type ClientPod, clientPod } from './client-pod.ts'

/** How a pod ended. */
export interface Ended {
  readonly exitCode: number
  /** What it left in /dev/termination-log, or where it failed and left nothing, the end of its output. */
  readonly message: string
}

const LIMIT_MS = 120_000

/** Creates a pod, waits until it has ended, and deletes it. */
export async function runToEnd({ plane: { admin } }: World, pod: ClientPod): Promise<Ended> {
  const collection = '/api/v1/namespaces/default/pods'
  const path = `${collection}/${pod.name}`
  await admin.create(
    collection,
    clientPod({ ...pod, container: { terminationMessagePolicy: 'FallbackToLogsOnError', ...pod.container } }),
  )
  try {
    return await waitFor(`pod ${pod.name} to end`, LIMIT_MS, async () => {
      const { status } = await admin.get(path)
      const ended = status.containerStatuses?.[0]?.state?.terminated
      return ended === undefined ? undefined : { exitCode: ended.exitCode, message: ended.message ?? '' }
    })
  } finally {
    await admin.delete(path, 0)
  }
}
