import type { Pod } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Metrics } from '../lib/metrics.ts'
import { sleep } from '../lib/sleep.ts'

/** How to make a {@link LiveReader}. */
export interface LiveReaderOptions {
  /** One consistent list of the node's pods (no `resourceVersion`: the most recent state). Has a deadline of its own. */
  readonly list: () => Promise<readonly Pod[]>
  readonly clock: Clock
  readonly metrics: Metrics
  /** Uniform in [0, 1); for tests. */
  readonly random?: () => number
}

/** The node's pods as the API server had them at one moment. */
export interface LiveRead {
  readonly pods: readonly Pod[]
  /** When the question was sent, in milliseconds since the epoch: the answer is at least as new. */
  readonly askedAt: number
}

/** Between two reads, from start to start: pods can make the daemon read, but not more often than this. */
const GAP_MS = 20
/** After a failure, doubling with each: every node of a cluster asks when its API server comes back. */
const FAILURE = { baseMs: 100, maxMs: 2_000 }
const MAX_RETRY_AFTER_MS = 5_000

/**
 * Reads the node's pods past the watch, for when the watch alone cannot decide. At most one read is in progress; those who
 * ask while it runs share the next, because what was asked earlier may be older than their connection.
 */
export class LiveReader {
  readonly #options: LiveReaderOptions
  #started = 0
  #failures = 0
  #pauseMs = 0
  #pausedAt = 0
  #running: Promise<LiveRead> | undefined
  #next: Promise<LiveRead> | undefined
  #last: { read: LiveRead; sequence: number } | undefined

  constructor(options: LiveReaderOptions) {
    this.#options = options
  }

  /** A mark for {@link readSince}: what is read from now on carries a higher number. */
  mark(): number {
    return this.#started
  }

  /** The newest answer so far. */
  get last(): LiveRead | undefined {
    return this.#last?.read
  }

  /**
   * An answer to a question that was asked after `mark` was taken.
   *
   * @throws MetadatadError `CALLER_UNCONFIRMED` (retryable) with the API's own error as its cause
   */
  readSince(mark: number): Promise<LiveRead> {
    if (this.#last !== undefined && this.#last.sequence > mark) return Promise.resolve(this.#last.read)
    if (this.#running !== undefined && this.#started > mark) return this.#running
    this.#next ??= this.#readNext()
    return this.#next
  }

  /** Reads once the one before has ended, well or not, and its pause is over. */
  async #readNext(): Promise<LiveRead> {
    const { clock } = this.#options
    await this.#running?.catch(() => {})
    const waited = clock.now() - this.#pausedAt
    // A clock that was set back must not make the pause longer.
    if (waited < this.#pauseMs) await sleep(clock, Math.min(this.#pauseMs, this.#pauseMs - waited))
    this.#next = undefined
    this.#started++
    this.#running = this.#read(this.#started)
    try {
      return await this.#running
    } finally {
      this.#running = undefined
    }
  }

  async #read(sequence: number): Promise<LiveRead> {
    const { list, clock, metrics } = this.#options
    const askedAt = clock.now()
    this.#pausedAt = askedAt
    this.#pauseMs = GAP_MS
    try {
      const read = { pods: await list(), askedAt }
      this.#failures = 0
      this.#last = { read, sequence }
      metrics.liveReads.inc({ outcome: 'ok' })
      return read
    } catch (cause) {
      this.#pauseAfter(cause)
      metrics.liveReads.inc({ outcome: cause instanceof MetadatadError ? cause.code : 'error' })
      throw unconfirmed(cause)
    }
  }

  #pauseAfter(cause: unknown): void {
    const { clock, random = Math.random } = this.#options
    const bound = Math.min(FAILURE.maxMs, FAILURE.baseMs * 2 ** Math.min(this.#failures, 30))
    const asked = cause instanceof MetadatadError ? (cause.retryAfterMs ?? 0) : 0
    this.#failures++
    this.#pausedAt = clock.now()
    // Never none at all: those who wait for an answer ask again at once.
    this.#pauseMs = Math.max(bound * (0.5 + random() / 2), Math.min(asked, MAX_RETRY_AFTER_MS))
  }
}

function unconfirmed(cause: unknown): MetadatadError {
  return new MetadatadError('CALLER_UNCONFIRMED', 'the address could not be confirmed by a live read', {
    fault: 'upstream',
    retryable: true,
    publicMessage:
      'The metadata daemon cannot confirm with the Kubernetes API which pod is calling. Try again in a moment.',
    cause,
  })
}
