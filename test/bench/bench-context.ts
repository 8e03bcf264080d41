/** What every measurement is given. */
export interface BenchContext {
  /** Short and rough, to see that everything runs. */
  readonly quick: boolean
  /** Aborted when the benchmark is to end at once: every process it started ends with it. */
  readonly signal: AbortSignal
  /** Tells what is being done. */
  readonly say: (text: string) => void
}
