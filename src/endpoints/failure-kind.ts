import type { ErrorCode, MetadatadError } from '../lib/errors.ts'

/**
 * What a failure is to the client: its own mistake, no identity, an identity that it may not have or that does not work,
 * or something that passes.
 */
export type FailureKind = 'request' | 'none' | 'refused' | 'transient'

const PERMANENT: Partial<Record<ErrorCode, FailureKind>> = {
  REQUEST_INVALID: 'request',
  IDENTITY_NONE: 'none',
  CALLER_NO_SERVICE_ACCOUNT: 'none',
  IDENTITY_INVALID: 'refused',
  IDENTITY_REFUSED: 'refused',
  SUBJECT_TOKEN_REFUSED: 'refused',
  SUBJECT_TOKEN_INVALID: 'refused',
  EXCHANGE_REFUSED: 'refused',
  EXCHANGE_MISCONFIGURED: 'refused',
}

/** Whatever is not surely permanent is transient: it is answered 503, which SDKs repeat. */
export function failureKind(error: MetadatadError): FailureKind {
  return error.retryable ? 'transient' : (PERMANENT[error.code] ?? 'transient')
}

const MAX_SECONDS = 60

/** The headers of a transient failure's 503. */
export function retryHeaders(error: MetadatadError): readonly string[] {
  // A cloud may want longer; but its back-off is the daemon's to keep, and a pod that waits ten minutes is broken.
  const seconds = Math.min(MAX_SECONDS, Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000)))
  const headers = ['Retry-After', String(seconds)]
  // The connection stays tied to a pod that it can no longer be shown to belong to: a new one starts afresh.
  return error.code === 'CALLER_CHANGED' ? [...headers, 'Connection', 'close'] : headers
}
