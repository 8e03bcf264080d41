import { Refusal } from '../refusal.ts'

/** Error codes of the token endpoint (RFC 6749 section 5.2, RFC 8693 section 2.2.2). */
export type StsErrorCode =
  | 'invalid_request'
  | 'invalid_grant'
  | 'invalid_target'
  | 'invalid_scope'
  | 'unsupported_grant_type'

/** A refusal in the words of Google STS: status 400 and an OAuth error object (RFC 6749 section 5.2). */
export function stsRefusal(error: StsErrorCode, description: string): Refusal {
  return new Refusal({ status: 400, body: { error, error_description: description } })
}

/** Canonical codes (google.rpc.Code) of the answers given here, with the HTTP status each maps to. */
const HTTP_STATUS = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
} as const

/** A refusal in the words of a Google API: google.rpc.Status as JSON (AIP-193). */
export function apiRefusal(
  status: keyof typeof HTTP_STATUS,
  message: string,
  errorInfo?: { reason: string; metadata?: Readonly<Record<string, string>> },
): Refusal {
  const code = HTTP_STATUS[status]
  const details = errorInfo && [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', domain: 'iam.googleapis.com', ...errorInfo },
  ]
  return new Refusal({
    status: code,
    ...(code === 401 && { headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' } }),
    body: { error: { code, message, status, ...(details && { details }) } },
  })
}
