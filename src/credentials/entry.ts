import type { Credential, CredentialHolder, CredentialSpec } from '../exchange/credential-spec.ts'
import type { Timer } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Flight } from './flight.ts'

/** A credential that was obtained, and its schedule. All times in milliseconds since the epoch. */
export interface Life {
  readonly credential: Credential
  /** Until then it is served without a thought of renewal. */
  readonly freshUntil: number
  /** From then on it is renewed ahead of need. */
  readonly renewAt: number
}

/** What is remembered of failures that may pass. */
export interface Failure {
  readonly error: MetadatadError
  /** Failures in a row. */
  readonly count: number
  /** No flight leaves before. */
  readonly retryAt: number
  /** No renewal that nobody waits for leaves before. */
  readonly renewAt: number
  /** When an entry that holds nothing else is forgotten. */
  readonly forgetAt: number
}

/** A refusal that is answered again, without a call, until its end. */
export interface Refusal {
  readonly error: MetadatadError
  readonly until: number
  /** The pods it was said to, by UID. */
  readonly pods: ReadonlySet<string>
}

/** What is known of one credential of one principal, whether it is there or not. */
export interface Entry {
  readonly spec: CredentialSpec
  readonly serviceAccountUid: string
  /** The pods that use it, by UID. An entry without any does not exist. */
  readonly holdings: Map<string, Holding>
  life: Life | undefined
  failure: Failure | undefined
  refusal: Refusal | undefined
  flight: Flight | undefined
  /** Asked for since it was obtained. */
  used: boolean
  /** To be obtained before anybody asks, from `wantedAt` on. */
  wantedAt: number | undefined
  timer: Timer | undefined
}

/** One pod's use of an entry. */
export interface Holding {
  readonly entry: Entry
  readonly holder: CredentialHolder
  /** Rank of its last use among all uses of the cache. */
  lastUsed: number
  /** The last flight that a request of this pod started. */
  launched: Flight | undefined
  /** Requests of the pod that wait for the entry's flight. */
  waiting: number
  /** A token could not be had because this pod no longer exists: another holder's is asked for. */
  lost: boolean
  /** Why the pod may no longer have the credential, for the requests that were waiting for it. */
  revoked: MetadatadError | undefined
}

/** An entry that nobody holds yet and that knows nothing. */
export function newEntry(spec: CredentialSpec, serviceAccountUid: string): Entry {
  return {
    spec,
    serviceAccountUid,
    holdings: new Map(),
    life: undefined,
    failure: undefined,
    refusal: undefined,
    flight: undefined,
    used: false,
    wantedAt: undefined,
    timer: undefined,
  }
}
