import { setTimeout } from 'node:timers/promises'
import type { World } from '../world.ts'
import { SIZE } from './size.ts'

/** As if every pod lived for an hour, and was written six times: made, bound, started, ready, ending, gone. */
const WRITES_PER_POD_AND_HOUR = 6

/**
 * Reports the status of pods all over the cluster, evenly, as its kubelets do together.
 *
 * @returns how many reports there were
 */
export async function reportStatus({ plane, namespace }: World, seconds: number): Promise<number> {
  const writes = Math.round((SIZE.pods * WRITES_PER_POD_AND_HOUR * seconds) / 3_600)
  const startedAt = performance.now()
  for (let i = 0; i < writes; i++) {
    const pod = Math.floor((i * SIZE.pods) / writes)
    const lastTransitionTime = new Date().toISOString()
    const conditions = [{ type: 'Ready', status: i % 2 === 0 ? 'False' : 'True', lastTransitionTime }]
    await plane.admin.merge(`/api/v1/namespaces/${namespace}/pods/p-${pod}/status`, {
      status: { conditions },
    })
    const due = startedAt + ((i + 1) * seconds * 1_000) / writes
    await setTimeout(Math.max(0, due - performance.now()))
  }
  return writes
}
