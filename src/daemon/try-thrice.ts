import { asError } from '../lib/as-error.ts'

/** A node that boots is slow: what may pass is tried three times, what may not once. Throws what the last try threw. */
export async function tryThrice<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      if (attempt === 3 || !asError(thrown).retryable) throw thrown
    }
  }
}
