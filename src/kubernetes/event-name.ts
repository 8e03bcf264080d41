import { createHash } from 'node:crypto'
import type { PodEvent } from './pod-event.ts'

/**
 * The name of an Event: the same for the same thing about the same pod, whichever daemon writes it. So a daemon that was
 * started anew, or a call that is repeated because its connection broke, adds no second Event; and a pod that replaces
 * another of its name, which has another UID, does not inherit one.
 */
export function eventName({ pod, reason, message }: Pick<PodEvent, 'pod' | 'reason' | 'message'>): string {
  const said = JSON.stringify([pod.uid, reason, message])
  return `metadatad.${createHash('sha256').update(said).digest('hex').slice(0, 24)}`
}
