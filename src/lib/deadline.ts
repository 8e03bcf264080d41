import type { Clock } from './clock.ts'

/** A point in time after which nobody waits for the answer any more. */
export interface Deadline extends Disposable {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Aborted when the deadline passes, or when the parent is aborted. */
  readonly signal: AbortSignal
}

/**
 * A deadline `ms` milliseconds from now. Dispose of it when the work is done, or its timer lives until it fires
 * (`using deadline = …`). undici's own timeouts run on a one-second wheel; this is why none of them is used.
 */
export function deadlineIn(clock: Clock, ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController()
  const abort = () =>
    controller.abort(parent?.aborted ? parent.reason : new DOMException('deadline exceeded', 'TimeoutError'))
  const timer = clock.after(ms, abort)
  if (parent?.aborted) abort()
  else parent?.addEventListener('abort', abort, { once: true })
  return {
    at: clock.now() + ms,
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel()
      parent?.removeEventListener('abort', abort)
    },
  }
}
