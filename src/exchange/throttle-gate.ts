import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'

/**
 * Keeps all pods of a node from calling a service that throttles one of them: the quota is shared, so that one pod's retries would
 * only use up what another pod needs.
 */
export interface ThrottleGate {
  /** Milliseconds until a call may be sent; 0 while it is open. */
  closedMs(): number
  /**
   * The service throttled a call.
   * @param sentAt when the call was sent, in milliseconds since the epoch
   * @param retryAfterMs how long the service asked to wait
   */
  throttled(sentAt: number, retryAfterMs: number | undefined): void
  /** The service did not throttle a call that was sent then. */
  passed(sentAt: number): void
}

/** What a gate works with. */
export interface ThrottleGateOptions {
  /** Whom it is in front of, for the log. */
  readonly service: string
  readonly clock: Clock
  readonly log: Log
  /** Longest time (ms) to be closed; ten seconds unless said otherwise. */
  readonly maxMs?: number | undefined
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: (() => number) | undefined
}

const BASE_MS = 500
const MAX_MS = 10_000
/** No call is under way for as long as this: where one seems to be, the clock of the node was set back. */
const LONGEST_MS = 2 * MAX_MS

/** A gate that closes for a time that doubles with every throttle in a row, half of it drawn at random. */
export function createThrottleGate(options: ThrottleGateOptions): ThrottleGate {
  const { clock, log, service, maxMs = MAX_MS, random = Math.random } = options
  let inARow = 0
  let opensAt = Number.NEGATIVE_INFINITY

  function closedMs(): number {
    const left = opensAt - clock.now()
    // More than it was ever closed for: the node's clock was set back.
    return left > 0 && left <= maxMs ? left : 0
  }

  return {
    closedMs,
    throttled(sentAt, retryAfterMs = 0) {
      // Calls that were under way when it closed say nothing that is not known.
      if (sentAt < opensAt && opensAt - sentAt <= LONGEST_MS) return
      const bound = Math.min(maxMs, BASE_MS * 2 ** Math.min(inARow++, 10))
      const ms = Math.ceil(Math.max(bound * (0.5 + random() / 2), Math.min(retryAfterMs, maxMs)))
      opensAt = clock.now() + ms
      log.warn({ service, ms, inARow }, 'throttled, holding calls of this node back')
    },
    passed(sentAt) {
      if (sentAt >= opensAt) inARow = 0
    },
  }
}
