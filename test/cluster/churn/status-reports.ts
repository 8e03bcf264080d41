import { setTimeout as pause } from 'node:timers/promises'
import type { PodObject, PodObjects } from './pod-objects.ts'

/**
 * What a kubelet reports of one pod, late: in its order, each once the one before has been written, and of those that wait only
 * the newest, as its status manager does.
 */
export class StatusReports {
  readonly #pods: PodObjects
  readonly #pod: PodObject
  #written: Promise<void> = Promise.resolve()
  #newest = 0

  constructor(pods: PodObjects, pod: PodObject) {
    this.#pods = pods
    this.#pod = pod
  }

  /** Resolves when everything so far is written, or will never be. */
  get written(): Promise<void> {
    return this.#written
  }

  /**
   * @param status a whole one, for it may be the only one that is written
   * @returns whether it was written
   */
  report(status: unknown, delayMs: number): Promise<boolean> {
    const number = ++this.#newest
    const due = pause(delayMs)
    const reported = this.#written.then(async () => {
      await due
      if (number !== this.#newest) return false
      await this.#pods.report(this.#pod, status)
      return true
    })
    this.#written = reported.then(() => {})
    // Whoever waits for `written` is told.
    this.#written.catch(() => {})
    reported.catch(() => {})
    return reported
  }

  /** Nothing more is written: the pod is gone. */
  cancel(): void {
    this.#newest++
  }
}
