import type { Clock } from '../../lib/clock.ts'
import { sleep } from '../../lib/sleep.ts'

/** How to make a {@link PacedRun}. */
export interface PacedRunOptions<T> {
  readonly run: () => Promise<T>
  /** Milliseconds that a run waits at least after the one before had begun. */
  readonly gapMs: (lastTookMs: number) => number
  /** Waited for before each run; its result is called when the run is over. */
  readonly enter?: () => Promise<() => void>
  readonly clock: Clock
}

/**
 * Something that is done for many at once: at most one run at a time, each a while after the one before. Whoever asks gets the
 * outcome of a run that begins after the question.
 */
export class PacedRun<T> {
  readonly #options: PacedRunOptions<T>
  #running: Promise<unknown> | undefined
  #next: Promise<T> | undefined
  #startedAt = 0
  #gapMs = 0

  constructor(options: PacedRunOptions<T>) {
    this.#options = options
  }

  /** The outcome of the next run. */
  next(): Promise<T> {
    this.#next ??= this.#startNext()
    return this.#next
  }

  async #startNext(): Promise<T> {
    const { clock, enter, run, gapMs } = this.#options
    await this.#running
    const waited = clock.now() - this.#startedAt
    // A clock that was set back must not make the gap longer.
    if (waited < this.#gapMs) await sleep(clock, Math.min(this.#gapMs, this.#gapMs - waited))
    const leave = await enter?.()
    this.#next = undefined
    this.#startedAt = clock.now()
    const result = run().finally(() => {
      this.#gapMs = gapMs(clock.now() - this.#startedAt)
      this.#running = undefined
      leave?.()
    })
    this.#running = result.then(
      () => {},
      () => {},
    )
    return result
  }
}
