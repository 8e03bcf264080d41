import type { Clock } from './clock.ts'

/**
 * Resolves after `ms` milliseconds of `clock`, or at once when `signal` is aborted. Never rejects: the caller looks at
 * the signal, because most have something to tidy up.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
