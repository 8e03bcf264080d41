import { asError } from '../../lib/as-error.ts'
import type { Answer } from '../answer.ts'
import { failureKind, retryHeaders } from '../failure-kind.ts'
import { type AzureRoute, type ImdsErrorCode, imdsError } from './imds-answer.ts'

/**
 * A failure in the terms of IMDS. What stays is 400, which SDKs take at its word and print: they repeat a 404 or 410 for a
 * minute, and a 401 or 403 tells them nothing more. All else is 503: Node repeats a 429 only with `Retry-After`.
 */
export function azureErrorAnswer(route: AzureRoute, thrown: unknown): Answer {
  const error = asError(thrown)
  const said = error.publicMessage
  switch (failureKind(error)) {
    case 'transient':
      return imdsError(route, 503, 'service_unavailable', said, retryHeaders(error))
    case 'none':
      return imdsError(route, 400, 'invalid_request', `Identity not found. ${said}`)
    case 'request':
      return imdsError(route, 400, 'invalid_request', said)
    case 'refused': {
      const code: ImdsErrorCode = error.code === 'IDENTITY_REFUSED' ? 'access_denied' : 'unauthorized_client'
      return imdsError(route, 400, code, said)
    }
  }
}
