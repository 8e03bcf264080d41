import type { Pod } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Metrics } from '../lib/metrics.ts'

/** How to make a {@link LiveReader}. */
export interface LiveReaderOptions {
  /** One consistent list of the node's pods (no `resourceVersion`: the most recent state). Has a deadline of its own. */
  readonly list: () => Promise<readonly Pod[]>
  readonly clock: Clock
  readonly metrics: Metrics
}

/** The node's pods as the API server had them at one moment. */
export interface LiveRead {
  readonly pods: readonly Pod[]
  /** When the question was sent, in milliseconds since the epoch: the answer is at least as new. */
  readonly askedAt: number
}

/**
 * Reads the node's pods past the watch, for when the watch alone cannot decide. At most one read is in progress; those who
 * ask while it runs share the next, because what was asked earlier may be older than their connection.
 */
export class LiveReader {
  readonly #options: LiveReaderOptions
  #started = 0
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
    if (this.#running === undefined) return this.#start()
    if (this.#started > mark) return this.#running
    // A failure of the read before is no reason not to ask again.
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  #start(): Promise<LiveRead> {
    const sequence = ++this.#started
    const askedAt = this.#options.clock.now()
    this.#next = undefined
    this.#running = this.#options
      .list()
      .then(
        (pods) => {
          const read = { pods, askedAt }
          this.#last = { read, sequence }
          this.#options.metrics.liveReads.inc({ outcome: 'ok' })
          return read
        },
        (cause) => {
          this.#options.metrics.liveReads.inc({
            outcome: cause instanceof MetadatadError ? cause.code : 'error',
          })
          throw new MetadatadError(
            'CALLER_UNCONFIRMED',
            'the address could not be confirmed by a live read',
            {
              fault: 'upstream',
              retryable: true,
              publicMessage:
                'The metadata daemon cannot confirm with the Kubernetes API which pod is calling. Try again in a moment.',
              cause,
            },
          )
        },
      )
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }
}
