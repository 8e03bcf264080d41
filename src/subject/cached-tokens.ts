import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import { withSignal } from '../lib/with-signal.ts'
import { subjectError } from './subject-error.ts'
import type { SubjectToken, SubjectTokenRequest, SubjectTokens } from './subject-tokens.ts'

/** A node runs a few hundred pods at most, each with one or two audiences. */
const MAX_TOKENS = 2048
const FLIGHT_MS = 15_000

/** What a cache of tokens works with. */
export interface CachedTokensOptions {
  readonly tokens: SubjectTokens
  readonly clock: Clock
}

/** Tokens, some of them had already. */
export interface CachedTokens extends SubjectTokens {
  /** The pod is gone: what is kept for it is dropped, requests under way included. */
  forget(podUid: string): void
}

interface Kept {
  readonly token: SubjectToken
  /** Half of the life that it had when it came is over then. */
  readonly freshUntil: number
}

interface Flight {
  readonly promise: Promise<SubjectToken>
  readonly renew: boolean
  readonly controller: AbortController
}

/**
 * Keeps tokens per pod, ServiceAccount, audience and wanted life, and uses one again until half of its life is over. All who ask at the
 * same time share one request, which none of them can cancel for the others.
 */
export function cachedTokens(options: CachedTokensOptions): CachedTokens {
  const { tokens, clock } = options
  const kept = new LRUCache<string, Kept>({ max: MAX_TOKENS })
  const flights = new Map<string, Flight>()

  function depart(key: string, request: SubjectTokenRequest): Flight {
    const controller = new AbortController()
    const obtain = async () => {
      using deadline = deadlineIn(clock, FLIGHT_MS, controller.signal)
      const askedAt = clock.now()
      try {
        const token = await tokens.get(request, deadline.signal)
        controller.signal.throwIfAborted()
        // A later flight, for a token newer than this one, may have taken the place.
        if (flights.get(key) === flight) {
          kept.set(key, { token, freshUntil: askedAt + (token.expiresAt - askedAt) / 2 })
        }
        return token
      } catch (error) {
        throw controller.signal.aborted ? controller.signal.reason : error
      } finally {
        if (flights.get(key) === flight) flights.delete(key)
      }
    }
    // Departs in a later turn, so that `flight` is there when the flight ends, however soon.
    const flight: Flight = {
      promise: Promise.resolve().then(obtain),
      renew: request.renew === true,
      controller,
    }
    // Those who waited may have left by the time that it fails.
    flight.promise.catch(() => {})
    flights.set(key, flight)
    return flight
  }

  return {
    async get(request, signal) {
      const { pod, serviceAccountUid, audience, expirationSeconds } = request
      const key = JSON.stringify([pod.uid, serviceAccountUid, audience, expirationSeconds])
      const found = kept.get(key)
      if (!request.renew && found && clock.now() < found.freshUntil) return found.token
      const flying = flights.get(key)
      const flight = flying && (flying.renew || !request.renew) ? flying : depart(key, request)
      return withSignal(flight.promise, signal, () =>
        subjectError(
          'SUBJECT_TOKEN_UNAVAILABLE',
          'no service account token in time',
          "A token of this pod's service account could not be had in time. Try again.",
        ),
      )
    },
    forget(podUid) {
      const prefix = `${JSON.stringify([podUid]).slice(0, -1)},`
      for (const key of [...kept.keys()]) if (key.startsWith(prefix)) kept.delete(key)
      for (const [key, flight] of [...flights]) {
        if (!key.startsWith(prefix)) continue
        flights.delete(key)
        flight.controller.abort(podGone())
      }
    },
  }
}

function podGone() {
  return subjectError(
    'SUBJECT_TOKEN_POD_GONE',
    'pod is gone',
    'This pod no longer exists in the Kubernetes API.',
  )
}
