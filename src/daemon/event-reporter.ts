import { LRUCache } from 'lru-cache'
import type { PodReference } from '../kubernetes/types.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { EventRecord } from './event-record.ts'
import { createEventWriter, type EventWriterOptions } from './event-writer.ts'

/** How to make an event reporter. */
export type EventReporterOptions = EventWriterOptions

/** Tells a pod's owner, by a Kubernetes Event on the pod, and the operator, by the log, why it gets no credentials. */
export interface EventReporter {
  /** Reports a refusal that a person has to mend; others are not for Events. Returns at once and never throws. */
  report(pod: PodReference, error: MetadatadError): void
  /** Writes nothing more. */
  close(): void
}

/** More than a node runs. */
const PODS = 500
/** Different things told of one pod; a further one takes the place of the one that has not happened for longest. */
const MAX_PER_POD = 10
/** … if that has not happened for so long. Also, the log says the same thing of a pod once in this time. */
const QUIET_MS = 10 * 60_000

/**
 * See {@link EventReporter}. The same reason and message is one Event of a pod, whose count rises: a pod in a loop costs one
 * call, then one after 5 s, 10 s, 20 s and so on up to 10 min. The node writes one in two seconds after a burst of 25.
 */
export function createEventReporter(options: EventReporterOptions): EventReporter {
  const { clock, log, metrics } = options
  const writer = createEventWriter(options)
  const pods = new LRUCache<string, Map<string, EventRecord>>({ max: PODS })

  function recordOf(pod: PodReference, reason: string, message: string): EventRecord | undefined {
    const records = pods.get(pod.uid) ?? new Map<string, EventRecord>()
    pods.set(pod.uid, records)
    const key = `${reason} ${message}`
    const now = clock.now()
    const record = records.get(key) ?? newRecord(pod, reason, message, now)
    if (!records.delete(key) && records.size >= MAX_PER_POD) {
      const [oldest, { lastAt }] = records.entries().next().value!
      if (now - lastAt < QUIET_MS) return undefined
      records.delete(oldest)
    }
    // Last in the map: what happened last.
    records.set(key, record)
    return record
  }

  return {
    report(pod, error) {
      if (error.fault !== 'policy') return
      const record = recordOf(pod, reasonOf(error), error.publicMessage)
      if (!record) {
        metrics.events.inc({ outcome: 'dropped' })
        return
      }
      const now = clock.now()
      record.count++
      record.lastAt = now
      // What a cloud refuses is logged where it was asked; nobody is asked about these.
      if (error.code.startsWith('IDENTITY_') && now - record.loggedAt >= QUIET_MS) {
        record.loggedAt = now
        const { namespace, name, uid } = pod
        log.warn(
          { pod: `${namespace}/${name}`, podUid: uid, code: error.code, reason: error.publicMessage },
          'identity refused',
        )
      }
      writer.add(record)
    },
    close: () => writer.close(),
  }
}

function newRecord(
  { namespace, name, uid }: PodReference,
  reason: string,
  message: string,
  now: number,
): EventRecord {
  return {
    // Not the pod itself, which has more to keep.
    pod: { namespace, name, uid },
    reason,
    message,
    firstAt: now,
    lastAt: now,
    count: 0,
    loggedAt: Number.NEGATIVE_INFINITY,
    told: 0,
    dueAt: 0,
    attempts: 0,
    failures: 0,
  }
}

/** `EXCHANGE_REFUSED` → `ExchangeRefused`: Kubernetes wants reasons in CamelCase. */
function reasonOf(error: MetadatadError): string {
  return error.code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
