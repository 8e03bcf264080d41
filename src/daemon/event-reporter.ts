import { LRUCache } from 'lru-cache'
import type { PodReference } from '../kubernetes/types.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'

/** How to make an event reporter. */
export interface EventReporterOptions {
  /** Writes one Event of type Warning about the pod. */
  readonly write: (pod: PodReference, reason: string, message: string) => Promise<void>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Tells a pod's owner, by a Kubernetes Event on the pod, and the operator, by the log, why it gets no credentials. */
export interface EventReporter {
  /** Reports a refusal that a person has to mend; others are not for Events. Returns at once and never throws. */
  report(pod: PodReference, error: MetadatadError): void
}

/** The same thing about the same pod is told once in this time. */
const REPEAT_MS = 10 * 60_000
/** All Events of this node together: a bucket of so many, refilled by one in so many milliseconds. */
const BURST = 20
const REFILL_MS = 10_000

/** See {@link EventReporter}. A pod in a loop costs one Event in ten minutes; the node one in ten seconds after a burst of 20. */
export function createEventReporter(options: EventReporterOptions): EventReporter {
  const { clock, log, metrics } = options
  const told = new LRUCache<string, number>({ max: 1_000 })
  const logged = new LRUCache<string, number>({ max: 1_000 })
  let tokens = BURST
  let filledAt = clock.now()

  function mayWrite(): boolean {
    const refill = Math.floor((clock.now() - filledAt) / REFILL_MS)
    if (refill > 0) {
      tokens = Math.min(BURST, tokens + refill)
      filledAt += refill * REFILL_MS
    }
    if (tokens === 0) return false
    tokens--
    return true
  }

  function isRepeated(memory: LRUCache<string, number>, key: string): boolean {
    const last = memory.get(key)
    return last !== undefined && clock.now() - last < REPEAT_MS
  }

  return {
    report(pod, error) {
      if (error.retryable || error.fault !== 'policy') return
      const key = `${pod.uid} ${error.code}`
      // What a cloud refuses is logged where it was asked; nobody is asked about these.
      if (error.code.startsWith('IDENTITY_') && !isRepeated(logged, key)) {
        logged.set(key, clock.now())
        const { namespace, name, uid } = pod
        log.warn(
          { pod: `${namespace}/${name}`, podUid: uid, code: error.code, reason: error.publicMessage },
          'identity refused',
        )
      }
      if (isRepeated(told, key)) return
      if (!mayWrite()) {
        metrics.events.inc({ outcome: 'dropped' })
        return
      }
      told.set(key, clock.now())
      options.write(pod, reasonOf(error), error.publicMessage).then(
        () => metrics.events.inc({ outcome: 'ok' }),
        (thrown) => {
          const err = asError(thrown)
          metrics.events.inc({ outcome: err.code })
          log.warn({ err, pod: `${pod.namespace}/${pod.name}` }, 'event not written')
        },
      )
    },
  }
}

/** `EXCHANGE_REFUSED` → `ExchangeRefused`: Kubernetes wants reasons in CamelCase. */
function reasonOf(error: MetadatadError): string {
  return error.code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
