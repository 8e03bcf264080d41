import type { PodReference } from './types.ts'

/** Something that a pod's owner should read in `kubectl describe pod`: an Event of type Warning (Kubernetes API, core/v1). */
export interface PodEvent {
  readonly pod: PodReference
  /** UpperCamelCase, from a small fixed set. */
  readonly reason: string
  /** For people; written on one line and cut to 1024 bytes. */
  readonly message: string
  /** How often it happened, at least once. */
  readonly count: number
  /** When it happened first, and last: milliseconds since the epoch. */
  readonly firstAt: number
  readonly lastAt: number
}
