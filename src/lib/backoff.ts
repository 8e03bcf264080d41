/** Exponential growth from `baseMs`, doubling up to `maxMs`, each wait drawn with full jitter. */
export interface BackoffOptions {
  readonly baseMs: number
  readonly maxMs: number
  /** Uniform in [0, 1); `Math.random` unless a test says otherwise. */
  readonly random?: () => number
}

/**
 * How long to wait before attempt `attempt` (0 is the first retry): uniform between 0 and the exponential bound, so
 * that a fleet of daemons that failed together does not come back together.
 */
export function fullJitter(attempt: number, options: BackoffOptions): number {
  const bound = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30))
  return Math.floor((options.random ?? Math.random)() * bound)
}
