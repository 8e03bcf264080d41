import { randomUUID } from 'node:crypto'
import type { InjectedAnswer } from '../sandbox-types.ts'
import type { EntraError } from './entra-error.ts'

/** When and where a refusal is given. */
export interface ErrorContext {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** The client's `client-request-id`, if it sent a GUID. */
  readonly correlationId: string | undefined
  readonly authorityUrl: string
}

/** A refusal in the words of Entra's token endpoint: an OAuth error with AADSTS code, trace and correlation ids and time. */
export function renderError(
  { code, error, status, message }: EntraError,
  { now, correlationId = randomUUID(), authorityUrl }: ErrorContext,
): InjectedAnswer {
  const traceId = randomUUID()
  const timestamp = `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`
  const trace = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`
  return {
    status,
    headers: { 'x-ms-request-id': traceId },
    body: {
      error,
      error_description: `AADSTS${code}: ${message} ${trace}`,
      error_codes: [code],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
      error_uri: `${authorityUrl}/error?code=${code}`,
    },
  }
}
