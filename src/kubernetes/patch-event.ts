import { apiPath } from './api-path.ts'
import type { KubernetesClient } from './client.ts'
import { eventName } from './event-name.ts'
import { eventTime } from './event-time.ts'
import { fields } from './json-fields.ts'
import type { PodEvent } from './pod-event.ts'

/** `count` of an Event is an int32. */
const MAX_COUNT = 2 ** 31 - 1

/**
 * Says of an Event that exists that it happened again: what `kubectl` shows as `(x12 over 3m)`.
 *
 * @param count what to set, or undefined to leave what is there
 * @returns the count that the Event has now
 * @throws MetadatadError `KUBERNETES_*`; `KUBERNETES_NOT_FOUND` if it does not exist (they are kept for an hour)
 */
export async function patchEvent(
  client: KubernetesClient,
  event: PodEvent,
  count: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  const lastTimestamp = { op: 'add', path: '/lastTimestamp', value: eventTime(event.lastAt) }
  const body =
    count === undefined
      ? [lastTimestamp]
      : [lastTimestamp, { op: 'add', path: '/count', value: Math.min(count, MAX_COUNT) }]
  const path = apiPath(event.pod.namespace, 'events', eventName(event))
  const stored = fields(await client.request({ verb: 'patch', resource: 'events', path, body, signal })).count
  return typeof stored === 'number' && stored >= 1 && stored <= MAX_COUNT ? Math.floor(stored) : 1
}
