import type { CredentialHolder } from '../exchange/credential-spec.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Audit } from './audit.ts'
import { alreadyEnded } from './credential-errors.ts'
import type { Entry, Holding, Life } from './entry.ts'
import { failureAfter, isRefusal, refusalOf } from './failure-memory.ts'
import { type Flight, type ObtainReason, startFlight } from './flight.ts'
import type { CredentialLimits } from './limits.ts'
import { likeliestHolding, obtain, type Sources } from './obtain.ts'
import { dueAt, endsAt, lasting, lifeOf } from './schedule.ts'
import { createTurnstile, type Turnstile } from './turnstile.ts'

/** What {@link createUpkeep} takes. */
export interface UpkeepOptions {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly audit: Audit
  readonly limits: CredentialLimits
  /** Uniform in [0, 1). */
  readonly random: () => number
  sources(reason: ObtainReason): Sources
  /** The entry has nothing left that is worth its place. */
  drop(entry: Entry): void
}

/** Moves each entry through its states: obtained, renewed in time, failed, refused, ended. */
export interface Upkeep {
  /** Does what is due for the entry and sets its one timer for what comes next. To be called after every change. */
  tend(entry: Entry): void
  /** Starts a flight in the name of `holding`; there must be none. */
  launch(entry: Entry, holding: Holding, reason: ObtainReason): Flight
  /** Throws the entry's credential away. */
  forget(entry: Entry): void
  /** Ends all that is under way for an entry that has left the cache. */
  clear(entry: Entry, reason: MetadatadError): void
}

/** See {@link Upkeep}. */
export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { clock, metrics, audit, limits, random } = options
  // One for each kind: what a service that hangs holds up is its own.
  const lanes = new Map<string, Turnstile<Entry>>()

  function laneOf({ spec }: Entry): Turnstile<Entry> {
    const known = lanes.get(spec.kind)
    if (known !== undefined) return known
    const lane = createTurnstile<Entry>(limits.prefetchConcurrency, (entry) => {
      // An entry that is dropped leaves the queue, so that it has a holder here.
      const holding = likeliestHolding(entry)!
      takeOff(entry, holding, entry.life ? 'renewal' : 'prefetch', 0, lane.leave)
    })
    lanes.set(spec.kind, lane)
    return lane
  }

  function setLife(entry: Entry, life: Life | undefined): void {
    if (entry.life === undefined && life !== undefined) metrics.credentials.inc()
    if (entry.life !== undefined && life === undefined) metrics.credentials.dec()
    entry.life = life
  }

  function takeOff(
    entry: Entry,
    holding: Holding,
    reason: ObtainReason,
    delayMs: number,
    ended: () => void,
  ): Flight {
    entry.timer?.cancel()
    laneOf(entry).remove(entry)
    let carrier = holding.holder
    const carry = (holder: CredentialHolder) => {
      carrier = holder
    }
    const flight = startFlight({
      clock,
      reason,
      delayMs,
      deadlineMs: limits.flightMs,
      async obtain(signal) {
        const credential = await obtain(entry, holding, options.sources(reason), carry, signal)
        const life = lifeOf(entry.spec, credential, clock.now(), random)
        if (life === undefined) throw alreadyEnded()
        return life
      },
      landed(outcome) {
        entry.flight = undefined
        land(entry, carrier, reason, outcome)
      },
      ended,
    })
    entry.flight = flight
    return flight
  }

  function land(
    entry: Entry,
    holder: CredentialHolder,
    reason: ObtainReason,
    outcome: Life | MetadatadError,
  ): void {
    const now = clock.now()
    if (outcome instanceof MetadatadError) {
      audit.failed(entry.spec, holder, reason, outcome)
      if (isRefusal(outcome, lasting(entry, now) !== undefined)) {
        setLife(entry, undefined)
        entry.wantedAt = undefined
        entry.failure = undefined
        entry.refusal = refusalOf({
          before: entry.refusal,
          error: outcome,
          podUid: holder.uid,
          now,
          ms: limits.refusalMs,
          random,
        })
      } else {
        entry.failure = failureAfter(entry.failure, outcome, now, random)
      }
    } else {
      audit.obtained(entry.spec, holder, reason, outcome.credential)
      setLife(entry, outcome)
      entry.used = false
      entry.wantedAt = undefined
      entry.failure = undefined
      entry.refusal = undefined
    }
    tend(entry)
  }

  function tend(entry: Entry): void {
    entry.timer?.cancel()
    if (entry.flight) return
    const now = clock.now()
    if (entry.life && entry.life.credential.expiresAt <= now) setLife(entry, undefined)
    if (entry.refusal && entry.refusal.until <= now) entry.refusal = undefined
    const due = dueAt(entry)
    const end = endsAt(entry)
    if (due <= now) laneOf(entry).add(entry)
    else if (end <= now) options.drop(entry)
    else entry.timer = clock.after(Math.min(due, end) - now, () => tend(entry))
  }

  return {
    tend,
    launch(entry, holding, reason) {
      const delayMs = Math.max(0, (entry.failure?.retryAt ?? 0) - clock.now())
      return takeOff(entry, holding, reason, delayMs, () => {})
    },
    forget: (entry) => setLife(entry, undefined),
    clear(entry, reason) {
      entry.timer?.cancel()
      laneOf(entry).remove(entry)
      entry.flight?.abort(reason)
      entry.flight = undefined
      setLife(entry, undefined)
    },
  }
}
