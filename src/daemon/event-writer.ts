import { LRUCache } from 'lru-cache'
import type { PodEvent } from '../kubernetes/pod-event.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { EventRecord } from './event-record.ts'

/** How to make an event writer. */
export interface EventWriterOptions {
  /**
   * Writes an Event with its count, with a deadline of its own.
   *
   * @param known it has been written before
   * @returns how often another daemon had told it; 0 if none had
   * @throws MetadatadError `KUBERNETES_*`
   */
  readonly write: (event: PodEvent, known: boolean) => Promise<number>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Writes Events, one at a time, at a rate that a cluster stands. */
export interface EventWriter {
  /** Has the record's count written, now or when it is due. Returns at once and never throws. */
  add(record: EventRecord): void
  /** Writes nothing more. */
  close(): void
}

/** A repetition is written after so long, then after twice as long and so on: a person who looks soon sees what is new. */
const FIRST_MS = 5_000
const LONGEST_MS = 10 * 60_000
/** All Events of this node together: a bucket of so many writes, refilled by one in so many milliseconds. */
const BURST = 25
const REFILL_MS = 2_000
/** More than all that is told of 110 pods. */
const MAX_PENDING = 2_000
const PODS = 500
/** After 5 s, 10 s and so on: over some two and a half minutes. */
const MAX_FAILURES = 6

/**
 * See {@link EventWriter}. What pods have not been told at all goes before repetitions. A write that failed is tried again if
 * the API server may have been out of reach, a few times; any other failure (a right that is missing, a namespace that is
 * being deleted) ends it until the same happens again, and then for ten minutes.
 */
export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { clock, log, metrics } = options
  const pending = new Set<EventRecord>()
  /** What one pod does with its annotations must not keep others from being told. */
  const writtenAt = new LRUCache<string, number>({ max: PODS })
  let timer: Timer | undefined
  let writing = false
  let closed = false
  /** When the bucket is full again. */
  let fullAt = 0

  function add(record: EventRecord): void {
    if (closed || pending.has(record)) return
    if (pending.size >= MAX_PENDING) {
      metrics.events.inc({ outcome: 'dropped' })
      return
    }
    pending.add(record)
    plan()
  }

  /** Of what is due, first what was never told, of the pod that was told least recently; else what is due next. */
  function mostUrgent(): EventRecord | undefined {
    const now = clock.now()
    const rank = ({ dueAt, told }: EventRecord) => (dueAt > now ? dueAt : told === 0 ? -2 : -1)
    const last = ({ pod }: EventRecord) => writtenAt.get(pod.uid) ?? Number.NEGATIVE_INFINITY
    let best: EventRecord | undefined
    for (const record of pending) {
      const by = best === undefined ? -1 : rank(record) - rank(best) || last(record) - last(best)
      if (by < 0) best = record
    }
    return best
  }

  function plan(): void {
    timer?.cancel()
    timer = undefined
    const record = closed || writing ? undefined : mostUrgent()
    if (!record) return
    const at = Math.max(record.dueAt, fullAt - (BURST - 1) * REFILL_MS)
    // Bounded, should the node's clock be set back.
    timer = clock.after(Math.min(LONGEST_MS, Math.max(0, at - clock.now())), () => void writeNext())
  }

  async function writeNext(): Promise<void> {
    const record = mostUrgent()
    if (!record) return
    writing = true
    pending.delete(record)
    const now = clock.now()
    writtenAt.set(record.pod.uid, now)
    fullAt = Math.min(Math.max(fullAt, now), now + (BURST - 1) * REFILL_MS) + REFILL_MS
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(record.attempts++, 30))
    const again = await write(record, wait)
    if (closed) return
    writing = false
    if (again) add(record)
    plan()
  }

  /** @returns whether it is to be written again without being reported again */
  async function write(record: EventRecord, wait: number): Promise<boolean> {
    const { pod, reason, message, count, firstAt, lastAt } = record
    try {
      const earlier = await options.write({ pod, reason, message, count, firstAt, lastAt }, record.told > 0)
      metrics.events.inc({ outcome: 'ok' })
      record.count += earlier
      record.told = earlier || count
      record.failures = 0
      record.dueAt = clock.now() + wait
      return record.count > record.told
    } catch (thrown) {
      if (closed) return false
      const err = asError(thrown)
      metrics.events.inc({ outcome: err.code })
      log.warn({ err, pod: `${pod.namespace}/${pod.name}` }, 'event not written')
      const passing = err.code === 'KUBERNETES_UNAVAILABLE'
      const again = passing && ++record.failures < MAX_FAILURES
      if (!again) record.failures = 0
      record.dueAt = clock.now() + (again ? Math.max(wait, err.retryAfterMs ?? 0) : LONGEST_MS)
      return again
    }
  }

  return {
    add,
    close() {
      closed = true
      timer?.cancel()
      pending.clear()
    },
  }
}
