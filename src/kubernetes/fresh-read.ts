import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { Log } from '../lib/log.ts'
import type { KubernetesClient, KubernetesRequest } from './client.ts'
import { isMissingRight } from './is-missing-right.ts'

const DEADLINE_MS = 10_000

/** What is read, with what. */
export interface FreshReadOptions {
  readonly client: KubernetesClient
  /** A list of anything; without a `resourceVersion`, so that no old cache may answer (Kubernetes API concepts, "Resource versions"). */
  readonly request: () => KubernetesRequest
  readonly clock: Clock
  readonly log: Log
}

/**
 * A question whether the API server can read its store: one that has lost it goes on sending bookmarks of the last version that it saw
 * (kube-apiserver 1.34 with its etcd stopped, for as long as it was watched).
 *
 * @returns never rejects; false also while another such read is under way; true where the right to it is missing, which proves nothing
 */
export function createFreshRead({ client, request, clock, log }: FreshReadOptions): () => Promise<boolean> {
  let reading = false
  return async () => {
    if (reading) return false
    reading = true
    const asked = request()
    using deadline = deadlineIn(clock, DEADLINE_MS, asked.signal)
    try {
      await client.request({ ...asked, signal: deadline.signal })
      return true
    } catch (thrown) {
      const err = asError(thrown)
      if (isMissingRight(err)) return true
      log.debug({ resource: asked.resource, err }, 'bookmark not confirmed')
      return false
    } finally {
      reading = false
    }
  }
}
