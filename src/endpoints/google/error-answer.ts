import { asError } from '../../lib/as-error.ts'
import { failureKind, retryHeaders } from '../failure-kind.ts'
import { type GoogleAnswer, type GoogleRoute, googleError } from './google-answer.ts'

/**
 * A failure in Google's terms: its public message and a status that SDKs act rightly on. 403 becomes 404 for ID tokens:
 * gcloud asks for one before every access token, goes on after a 404 and crashes on a 403.
 */
export function errorAnswer(route: GoogleRoute, thrown: unknown): GoogleAnswer {
  const error = asError(thrown)
  switch (failureKind(error)) {
    case 'transient':
      return googleError(route, 503, error.publicMessage, retryHeaders(error))
    case 'request':
      return googleError(route, 400, error.publicMessage)
    case 'none':
    case 'refused': {
      const absent = error.code === 'IDENTITY_NONE' || route === 'identity'
      return googleError(route, absent ? 404 : 403, error.publicMessage)
    }
  }
}
