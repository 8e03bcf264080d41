import type { Pod } from '../kubernetes/types.ts'
import type { Secret } from '../lib/secret.ts'

/** A Kubernetes service-account token that a cloud will accept as proof of who the pod is. */
export interface SubjectToken {
  readonly token: Secret
  /** The `exp` claim, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What token is wanted. */
export interface SubjectTokenRequest {
  /** The pod the token must be bound to, name and UID. */
  readonly pod: Pod
  /** The token must be of this incarnation of the pod's ServiceAccount. */
  readonly serviceAccountUid: string
  /** Compared exactly with the token's `aud`. */
  readonly audience: string
  /** Wanted life in seconds; the API server clamps it and refuses less than 600. */
  readonly expirationSeconds: number
  /** True after a cloud called the last one expired: neither a token kept from before nor, where another way is open, the projected one will do. */
  readonly renew?: boolean | undefined
}

/** Gets a pod's service-account token, by one way or another. */
export interface SubjectTokens {
  /**
   * @throws MetadatadError `SUBJECT_TOKEN_UNAVAILABLE` (retryable), `SUBJECT_TOKEN_REFUSED` (no right to create it, or the
   * audience is not allowed), `SUBJECT_TOKEN_POD_GONE` (the pod's UID is no longer the one asked for),
   * `SUBJECT_TOKEN_INVALID` (a projected token that is not this pod's)
   */
  get(request: SubjectTokenRequest, signal: AbortSignal): Promise<SubjectToken>
}
