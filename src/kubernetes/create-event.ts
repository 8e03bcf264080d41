import { apiPath } from './api-path.ts'
import type { KubernetesClient } from './client.ts'
import { eventName } from './event-name.ts'
import { eventTime } from './event-time.ts'
import type { PodEvent } from './pod-event.ts'

/** The API server's own bound of events.k8s.io/v1, in bytes. */
const MAX_MESSAGE_BYTES = 1024

/**
 * Creates an Event about a pod.
 *
 * @param nodeName the daemon's node
 * @throws MetadatadError `KUBERNETES_*`; `KUBERNETES_CONFLICT` if it exists, `KUBERNETES_FORBIDDEN` without the right to it and
 *   where the namespace is being deleted
 */
export async function createEvent(
  client: KubernetesClient,
  event: PodEvent,
  nodeName: string,
  signal: AbortSignal,
): Promise<void> {
  const { pod, reason, message, count, firstAt, lastAt } = event
  const { namespace, name, uid } = pod
  await client.request({
    verb: 'create',
    resource: 'events',
    path: apiPath(namespace, 'events'),
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName(event), namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
      type: 'Warning',
      reason,
      message: cut(onOneLine(message)),
      firstTimestamp: eventTime(firstAt),
      lastTimestamp: eventTime(lastAt),
      count,
      source: { component: 'metadatad', host: nodeName },
      reportingComponent: 'metadatad',
      reportingInstance: nodeName,
    },
    signal,
  })
}

/** `kubectl` prints Events as a table. */
function onOneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ').trim()
}

function cut(message: string): string {
  const bytes = Buffer.from(message)
  if (bytes.length <= MAX_MESSAGE_BYTES) return message
  let end = MAX_MESSAGE_BYTES - 3
  // Not within a character: the bytes that continue one begin with the bits 10.
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1
  return `${bytes.toString('utf8', 0, end)}…`
}
