/** A scenario took longer than it may: nothing is known to be wrong but the machine's speed. */
export class TooSlow extends Error {
  constructor(limitMs: number) {
    super(`it takes longer than ${limitMs / 1_000} s`)
  }
}
