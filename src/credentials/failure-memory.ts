import { fullJitter } from '../lib/backoff.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Failure, Refusal } from './entry.ts'

const RETRY = { baseMs: 100, maxMs: 5_000 }
const RENEWAL = { baseMs: 1_000, maxMs: 60_000 }

/**
 * Is `error` a decision about the principal, which asking again will not change?
 *
 * Failing to get the pod's own token is none once a credential is there: it says that the daemon or this one pod lacks
 * something, not that the cloud took the access away. A pod that no longer exists says nothing about the others.
 *
 * @param alive whether a good credential is there
 */
export function isRefusal(error: MetadatadError, alive: boolean): boolean {
  if (error.retryable || error.code === 'SUBJECT_TOKEN_POD_GONE') return false
  return !(alive && error.code.startsWith('SUBJECT_TOKEN_'))
}

/** What the refusal after `before` is made of; see {@link refusalOf}. */
export interface Refused {
  readonly before: Refusal | undefined
  readonly error: MetadatadError
  /** The pod in whose name was asked. */
  readonly podUid: string
  readonly now: number
  /** Milliseconds to answer it for, give or take a fifth: not by all nodes for equally long. */
  readonly ms: number
  readonly random: () => number
}

/** The refusal to be remembered. */
export function refusalOf({ before, error, podUid, now, ms, random }: Refused): Refusal {
  const pods = new Set(before?.error.code === error.code ? before.pods : []).add(podUid)
  return { error, until: now + ms * (0.8 + 0.4 * random()), pods }
}

/**
 * Does the refusal hold for this pod too? What the cloud says of the principal does. What it says of one pod's token does
 * not, because that pod may be on its way out, until a second pod was told the same.
 */
export function holdsFor(refusal: Refusal, podUid: string): boolean {
  const aboutToken = /^(?:SUBJECT_TOKEN_|EXCHANGE_SUBJECT_|EXCHANGE_MISCONFIGURED$)/.test(refusal.error.code)
  return !aboutToken || refusal.pods.has(podUid) || refusal.pods.size > 1
}

/**
 * The failure after `before`, with gaps that double: 0.1 s to 5 s for requests, which wait, and 1 s to 60 s for renewals,
 * which nobody waits for; never less than the upstream asked for, within the same bounds.
 */
export function failureAfter(
  before: Failure | undefined,
  error: MetadatadError,
  now: number,
  random: () => number,
): Failure {
  const count = (before?.count ?? 0) + 1
  const asked = error.retryAfterMs ?? 0
  const bound = Math.min(RETRY.maxMs, RETRY.baseMs * 2 ** Math.min(count - 1, 10))
  const retryMs = Math.max(bound * (0.5 + random() / 2), Math.min(asked, RETRY.maxMs))
  const renewalMs = Math.max(RENEWAL.baseMs + fullJitter(count, { ...RENEWAL, random }), asked, retryMs)
  return {
    error,
    count,
    retryAt: now + retryMs,
    renewAt: now + Math.min(RENEWAL.maxMs, renewalMs),
    forgetAt: now + RENEWAL.maxMs,
  }
}
