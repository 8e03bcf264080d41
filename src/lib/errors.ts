/**
 * Every failure the daemon can tell apart. The prefix names the part of the pipeline that found it.
 *
 * Stable: codes appear in logs, Events and metrics, and are listed in docs/errors.md (a test compares the two).
 */
export type ErrorCode =
  | 'CALLER_UNKNOWN'
  | 'CALLER_AMBIGUOUS'
  | 'CALLER_CHANGED'
  | 'CALLER_UNCONFIRMED'
  | 'CALLER_NOT_READY'
  | 'CALLER_UNPROVED'
  | 'CALLER_NO_SERVICE_ACCOUNT'
  | 'SERVICE_ACCOUNT_MISSING'
  | 'IDENTITY_NONE'
  | 'IDENTITY_INVALID'
  | 'IDENTITY_REFUSED'
  | 'SUBJECT_TOKEN_UNAVAILABLE'
  | 'SUBJECT_TOKEN_REFUSED'
  | 'SUBJECT_TOKEN_POD_GONE'
  | 'SUBJECT_TOKEN_INVALID'
  | 'EXCHANGE_REFUSED'
  | 'EXCHANGE_MISCONFIGURED'
  | 'EXCHANGE_SUBJECT_EXPIRED'
  | 'EXCHANGE_THROTTLED'
  | 'EXCHANGE_UNAVAILABLE'
  | 'EXCHANGE_MALFORMED'
  | 'CREDENTIAL_LIMIT'
  | 'REQUEST_INVALID'
  | 'KUBERNETES_UNAVAILABLE'
  | 'KUBERNETES_FORBIDDEN'
  | 'KUBERNETES_NOT_FOUND'
  | 'KUBERNETES_CONFLICT'
  | 'KUBERNETES_EXPIRED'
  | 'KUBERNETES_INVALID'
  | 'CONFIG_INVALID'
  | 'LISTEN_FAILED'
  | 'HOST_VIEW_MISSING'
  | 'INTERCEPT_UNAVAILABLE'
  | 'INTERCEPT_REFUSED'
  | 'INTERCEPT_FAILED'
  | 'INTERNAL'

/** Who has to act: the calling pod's program, the people who wrote the policy, an upstream service, or this daemon. */
export type Fault = 'caller' | 'policy' | 'upstream' | 'ours'

/** What a {@link MetadatadError} is made of. */
export interface ErrorDetails {
  /** May the same request succeed later with nothing changed by a person? */
  readonly retryable: boolean
  readonly fault: Fault
  /**
   * One or two sentences that may be shown to the pod: no token, no other tenant's name; says what to do next.
   * Starts with a capital letter and ends with a period.
   */
  readonly publicMessage: string
  /** Milliseconds after which a retry makes sense, where the upstream said so. */
  readonly retryAfterMs?: number
  /** The provider's own code or status (`invalid_grant`, `PERMISSION_DENIED`, `503`), for logs and metrics. */
  readonly providerCode?: string
  readonly cause?: unknown
}

/**
 * A coded failure. `message` is for operators (lower case, no period); `publicMessage` is for the pod.
 * Only `endpoints/` and `admin/` turn one into a status and a body.
 */
export class MetadatadError extends Error {
  readonly code: ErrorCode
  readonly fault: Fault
  readonly retryable: boolean
  readonly publicMessage: string
  readonly retryAfterMs: number | undefined
  readonly providerCode: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'MetadatadError'
    this.code = code
    this.fault = details.fault
    this.retryable = details.retryable
    this.publicMessage = details.publicMessage
    this.retryAfterMs = details.retryAfterMs
    this.providerCode = details.providerCode
  }
}
