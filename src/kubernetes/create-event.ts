import { randomBytes } from 'node:crypto'
import { apiPath } from './api-path.ts'
import type { KubernetesClient } from './client.ts'
import type { PodReference } from './types.ts'

/** The API server's own bound, in bytes. */
const MAX_MESSAGE_BYTES = 1024

/** Something that the pod's owner should read in `kubectl describe pod` (core/v1 Event). */
export interface PodEvent {
  readonly pod: PodReference
  readonly type: 'Normal' | 'Warning'
  /** UpperCamelCase, from a small fixed set. */
  readonly reason: string
  /** For people; cut to 1024 bytes. */
  readonly message: string
  /** The daemon's node. */
  readonly nodeName: string
  /** When it happened, in milliseconds since the epoch. */
  readonly at: number
}

/**
 * Writes an Event about a pod.
 *
 * @throws MetadatadError `KUBERNETES_*`
 */
export async function createEvent(
  client: KubernetesClient,
  event: PodEvent,
  signal: AbortSignal,
): Promise<void> {
  const { pod, type, reason, message, nodeName, at } = event
  const timestamp = new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
  await client.request({
    verb: 'create',
    resource: 'events',
    path: apiPath(pod.namespace, 'events'),
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `metadatad.${randomBytes(12).toString('hex')}`, namespace: pod.namespace },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: pod.namespace,
        name: pod.name,
        uid: pod.uid,
      },
      type,
      reason,
      message: cut(message),
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
      source: { component: 'metadatad', host: nodeName },
      reportingComponent: 'metadatad',
      reportingInstance: nodeName,
    },
    signal,
  })
}

function cut(message: string): string {
  const bytes = Buffer.from(message)
  if (bytes.length <= MAX_MESSAGE_BYTES) return message
  let end = MAX_MESSAGE_BYTES - 3
  // Not within a character: the bytes that continue one begin with the bits 10.
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1
  return `${bytes.toString('utf8', 0, end)}…`
}
