import type { Credential, CredentialHolder, CredentialSpec } from '../exchange/credential-spec.ts'
import type { Clock } from '../lib/clock.ts'
import { type Deadline, deadlineIn } from '../lib/deadline.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createAudit } from './audit.ts'
import { callerChanged, credentialLimit, notReady, stopping } from './credential-errors.ts'
import type { Credentials } from './credentials.ts'
import type { Entry, Holding, Life } from './entry.ts'
import { holdsFor } from './failure-memory.ts'
import type { ObtainReason } from './flight.ts'
import { createGonePods } from './gone-pods.ts'
import { createHoldings } from './holdings.ts'
import { createLaunchRate } from './launch-rate.ts'
import { type CredentialLimits, DEFAULT_LIMITS } from './limits.ts'
import type { Sources } from './obtain.ts'
import { createRequestCounts, type RequestResult } from './request-counts.ts'
import { lasting } from './schedule.ts'
import { createUpkeep } from './upkeep.ts'
import { waitFor } from './wait-for.ts'

/** How to make the cache. */
export interface CredentialsOptions {
  /** A Kubernetes service-account token of the pod. */
  subjectToken: Sources['subjectToken']
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Uniform in [0, 1); `Math.random` unless a test says otherwise. */
  readonly random?: () => number
  readonly limits?: Partial<CredentialLimits>
  /** Told of every failure, with the pod it was obtained for. Must not throw. */
  readonly refused?: (holder: CredentialHolder, error: MetadatadError) => void
}

/** The cache, for the one who owns it. */
export interface ClosableCredentials extends Credentials {
  /** Number of credentials that are held, being obtained or remembered as refused. */
  readonly size: number
  /** Ends everything under way and forgets everything. Later requests are refused, retryable. */
  close(): void
}

/** Who asks: a pod, or a flight that needs a prerequisite. */
interface Asker {
  readonly signal: AbortSignal
  readonly reason: ObtainReason
  /** Bounded by the pod's number of flights. A prerequisite is not: its flight would wait for itself. */
  readonly bounded: boolean
  /** One that will not do, whatever its life. */
  readonly dead?: Credential | undefined
}

interface Acquired {
  readonly credential: Credential
  readonly result: RequestResult
}

/** Longest wait for a renewal (ms) with an old credential in hand. */
const STALE_WAIT_MS = 2_000
/** A request that was under way when its pod went away has ended after this (ms). */
const GONE_MS = 10_000
const GONE_PODS = 4_096
/** The daemon meets the pods that are already there within this time (ms) of its start. */
const START_MS = 30_000

/**
 * Makes the cache of all pods' credentials.
 *
 * Everything that decides is done in one turn of the event loop; whatever is waited for, the pod's right to the
 * credential is looked at again before it is handed out.
 */
export function createCredentials(options: CredentialsOptions): ClosableCredentials {
  const { clock, log, metrics, random = Math.random } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const counts = createRequestCounts(metrics)
  const gone = createGonePods(GONE_MS, GONE_PODS)
  const spreadUntil = clock.now() + START_MS
  const rate = createLaunchRate({ clock, burst: limits.launchBurst, perSecond: limits.launchesPerSecond })
  let closed = false

  const holdings = createHoldings(limits, (entry, reason) => upkeep.clear(entry, reason ?? callerChanged()))
  const upkeep = createUpkeep({
    clock,
    metrics,
    audit: createAudit({ clock, log, metrics, refused: options.refused }),
    limits,
    random,
    drop: (entry) => holdings.drop(entry),
    sources: (reason) => ({
      subjectToken: options.subjectToken,
      async prerequisite(spec, holder, signal, dead) {
        return (await acquire(spec, holder, { signal, reason, bounded: false, dead })).credential
      },
    }),
  })

  function hold(spec: CredentialSpec, holder: CredentialHolder): Holding {
    if (closed) throw stopping()
    if (gone.has(holder.uid, clock.now())) throw callerChanged()
    return holdings.hold(spec, holder)
  }

  function give(entry: Entry, life: Life, asker: Asker, result: RequestResult): Acquired {
    // What is prefetched with a credential that nobody may ever ask for is not in use either.
    if (asker.reason !== 'prefetch') markUsed(entry)
    return { credential: life.credential, result }
  }

  function markUsed(entry: Entry): void {
    if (entry.used) return
    entry.used = true
    upkeep.tend(entry)
  }

  function mayLaunch(holder: CredentialHolder): boolean {
    const launched = holdings.ofPod(holder.uid).filter((h) => h.launched && h.launched === h.entry.flight)
    return launched.length < limits.flightsPerPod && rate.take(holder.uid)
  }

  async function acquire(spec: CredentialSpec, holder: CredentialHolder, asker: Asker): Promise<Acquired> {
    const holding = hold(spec, holder)
    const { entry } = holding
    if (asker.dead && entry.life?.credential === asker.dead) upkeep.forget(entry)

    const now = clock.now()
    const old = lasting(entry, now)
    if (old && now <= old.freshUntil) return give(entry, old, asker, 'hit')
    const { refusal } = entry
    if (refusal && now < refusal.until && holdsFor(refusal, holder.uid)) throw refusal.error
    if (old && entry.failure && now < entry.failure.retryAt) return give(entry, old, asker, 'stale')

    const joined = entry.flight !== undefined
    if (!joined && asker.bounded && !mayLaunch(holder)) {
      if (old) return give(entry, old, asker, 'stale')
      upkeep.tend(entry)
      throw credentialLimit('at one time or in a short while')
    }
    const flight = entry.flight ?? upkeep.launch(entry, holding, asker.reason)
    if (!joined && asker.bounded) holding.launched = flight

    using patience = old && deadlineIn(clock, STALE_WAIT_MS, asker.signal)
    holding.waiting++
    const outcome = await waitFor(flight.outcome, patience?.signal ?? asker.signal)
    holding.waiting--

    if (holding.revoked) throw holding.revoked
    if (outcome && !(outcome instanceof MetadatadError))
      return give(entry, outcome, asker, joined ? 'joined' : 'miss')
    const stale = lasting(entry, clock.now())
    if (stale) return give(entry, stale, asker, 'stale')
    const error = outcome ?? (flight.begun ? undefined : entry.failure?.error)
    // What was said of another pod's token is not said of this one's.
    if (error && error === entry.refusal?.error && !holdsFor(entry.refusal, holder.uid)) {
      return acquire(spec, holder, asker)
    }
    // Another pod's end is no news for this one.
    if (error?.code === 'SUBJECT_TOKEN_POD_GONE' && !holding.lost) throw notReady(error)
    throw error ?? notReady()
  }

  return {
    get size() {
      return holdings.size
    },

    peek<C extends Credential>(spec: CredentialSpec<C>, holder: CredentialHolder): C | undefined {
      const entry = holdings.find(spec, holder)?.entry
      if (entry?.life === undefined || clock.now() > entry.life.freshUntil) return undefined
      markUsed(entry)
      counts(spec.kind).hit.inc()
      return entry.life.credential as C
    },

    async get<C extends Credential>(
      spec: CredentialSpec<C>,
      holder: CredentialHolder,
      deadline: Deadline,
    ): Promise<C> {
      const count = counts(spec.kind)
      try {
        const { signal } = deadline
        const { credential, result } = await acquire(spec, holder, {
          signal,
          reason: 'request',
          bounded: true,
        })
        count[result].inc()
        return credential as C
      } catch (thrown) {
        count.refused.inc()
        throw thrown
      }
    },

    prefetch(spec, holder, soon = false) {
      try {
        const { entry } = hold(spec, holder)
        const now = clock.now()
        const refused = entry.refusal && holdsFor(entry.refusal, holder.uid)
        if (!entry.flight && !refused && !lasting(entry, now)) {
          const spreadMs = !soon && now < spreadUntil ? limits.prefetchSpreadMs : 0
          entry.wantedAt = Math.min(entry.wantedAt ?? Infinity, now + random() * spreadMs)
        }
        upkeep.tend(entry)
      } catch (err) {
        log.debug({ podUid: holder.uid, kind: spec.kind, err }, 'credential not prefetched')
      }
    },

    podGone(podUid) {
      gone.add(podUid, clock.now())
      for (const holding of holdings.ofPod(podUid)) holdings.release(holding, callerChanged())
    },

    serviceAccountChanged(serviceAccountUid) {
      for (const entry of holdings.ofServiceAccount(serviceAccountUid)) holdings.drop(entry, callerChanged())
    },

    close() {
      closed = true
      for (const entry of holdings.all()) holdings.drop(entry, stopping())
    },
  }
}
