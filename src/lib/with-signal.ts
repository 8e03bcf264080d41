/**
 * A promise that many wait for, as one of them waits for it: until his signal is aborted. Nothing is cancelled.
 *
 * @throws what `failure` gives, at the abort
 */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(failure())
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
