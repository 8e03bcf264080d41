/**
 * Waits for `promise`, which never rejects, until `signal` is aborted. Leaves no listener on the signal.
 *
 * @returns undefined if the signal came first
 */
export function waitFor<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    const stop = () => resolve(undefined)
    signal.addEventListener('abort', stop, { once: true })
    void promise.then((value) => {
      signal.removeEventListener('abort', stop)
      resolve(value)
    })
  })
}
