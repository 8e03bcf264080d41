import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { MetadatadError } from '../lib/errors.ts'
import { sleep } from '../lib/sleep.ts'
import { obtainTimeout } from './credential-errors.ts'
import type { Life } from './entry.ts'
import { waitFor } from './wait-for.ts'

/** Why a credential is obtained: a pod waits for it, it will surely be asked for, or it is in use and ages. */
export type ObtainReason = 'request' | 'prefetch' | 'renewal'

/** One attempt to obtain a credential, which any number of requests may wait for and none of them ends. */
export interface Flight {
  readonly reason: ObtainReason
  /** What came of it. Never rejects. */
  readonly outcome: Promise<Life | MetadatadError>
  /** False while it waits for its delay to pass. */
  readonly begun: boolean
  /** Ends it at once with `error` as its outcome; whatever still arrives is thrown away. */
  abort(error: MetadatadError): void
}

/** What {@link startFlight} takes. */
export interface FlightOptions {
  readonly clock: Clock
  readonly reason: ObtainReason
  /** Milliseconds to wait before it begins. */
  readonly delayMs: number
  /** Milliseconds it may take once it has begun. */
  readonly deadlineMs: number
  /** Does the work. Its result counts for nothing once the signal is aborted. */
  obtain(signal: AbortSignal): Promise<Life>
  /** Called with the outcome before anybody waiting sees it; never called after `abort`. Must not throw. */
  landed(outcome: Life | MetadatadError): void
  /** Called once, last, however it ended. Must not throw. */
  ended(): void
}

/** Starts a flight. Nothing of `obtain` runs before the caller's turn of the event loop has ended. */
export function startFlight(options: FlightOptions): Flight {
  const { clock, obtain, landed, ended } = options
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<Life | MetadatadError>()
  let begun = false
  let over = false

  const end = (outcome: Life | MetadatadError) => {
    if (over) return
    over = true
    resolve(outcome)
    ended()
    // Work that `obtain` may have left behind must not go on asking for tokens.
    controller.abort(new DOMException('the flight has ended', 'AbortError'))
  }

  const fly = async () => {
    await (options.delayMs > 0 ? sleep(clock, options.delayMs, controller.signal) : undefined)
    if (over) return
    begun = true
    using deadline = deadlineIn(clock, options.deadlineMs, controller.signal)
    // `obtain` may not heed its signal, so it is not waited for beyond it.
    const work = obtain(deadline.signal).catch(asError)
    const outcome = (await waitFor(work, deadline.signal)) ?? obtainTimeout()
    if (over) return
    landed(outcome)
    end(outcome)
  }
  void fly().catch((thrown) => end(asError(thrown)))

  return {
    reason: options.reason,
    outcome: promise,
    get begun() {
      return begun
    },
    abort: end,
  }
}
