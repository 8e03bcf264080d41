import type { PodEvent } from '../kubernetes/pod-event.ts'

/** One Event of one pod, as often as it happened, and what the API server has been told of it. */
export interface EventRecord extends PodEvent {
  count: number
  lastAt: number
  /** When the log said so last. */
  loggedAt: number
  /** The count that the API server knows; 0 if it knows nothing of it. */
  told: number
  /** When it may be written next. */
  dueAt: number
  /** Attempts to write it so far: each makes the next wait longer. */
  attempts: number
  /** Attempts in a row that failed for a reason that may pass. */
  failures: number
}
