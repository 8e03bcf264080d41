import { asError } from '../../lib/as-error.ts'
import type { ErrorCode } from '../../lib/errors.ts'
import { type GoogleAnswer, type GoogleRoute, googleError } from './google-answer.ts'

/** Failures that stay until a person changes something. All others are transient: SDKs repeat a 503 and nothing else. */
const PERMANENT: Partial<Record<ErrorCode, 400 | 403 | 404>> = {
  REQUEST_INVALID: 400,
  IDENTITY_NONE: 404,
  CALLER_NO_SERVICE_ACCOUNT: 403,
  IDENTITY_INVALID: 403,
  IDENTITY_REFUSED: 403,
  SUBJECT_TOKEN_REFUSED: 403,
  SUBJECT_TOKEN_INVALID: 403,
  EXCHANGE_REFUSED: 403,
  EXCHANGE_MISCONFIGURED: 403,
}

/**
 * A failure in Google's terms: its public message and a status that SDKs act rightly on. 403 becomes 404 for ID tokens:
 * gcloud asks for one before every access token, goes on after a 404 and crashes on a 403.
 */
export function errorAnswer(route: GoogleRoute, thrown: unknown): GoogleAnswer {
  const error = asError(thrown)
  const permanent = error.retryable ? undefined : PERMANENT[error.code]
  if (permanent !== undefined) {
    return googleError(
      route,
      route === 'identity' && permanent === 403 ? 404 : permanent,
      error.publicMessage,
    )
  }
  const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000))
  const headers = ['Retry-After', String(seconds)]
  // The connection stays tied to a pod that it can no longer be shown to belong to: a new one starts afresh.
  if (error.code === 'CALLER_CHANGED') headers.push('Connection', 'close')
  return googleError(route, 503, error.publicMessage, headers)
}
