/** A scenario took longer than it may: nothing is known to be wrong but the machine's speed. */
export class TooSlow extends Error {
  /** @param what took too long; the whole scenario unless said */
  constructor(limitMs: number, what = 'it') {
    super(`${what} takes longer than ${limitMs / 1_000} s`)
  }
}
