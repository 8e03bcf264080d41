import { type ErrorCode, MetadatadError } from '../lib/errors.ts'

/** The codes of a service-account token that could not be had. */
export type SubjectErrorCode = Extract<ErrorCode, `SUBJECT_TOKEN_${string}`>

const FAULTS = {
  SUBJECT_TOKEN_UNAVAILABLE: 'upstream',
  SUBJECT_TOKEN_REFUSED: 'policy',
  SUBJECT_TOKEN_POD_GONE: 'caller',
  SUBJECT_TOKEN_INVALID: 'ours',
} as const

/**
 * Why there is no service-account token. Only `SUBJECT_TOKEN_UNAVAILABLE` may mend itself.
 *
 * @param message for operators
 * @param publicMessage for the pod
 */
export function subjectError(
  code: SubjectErrorCode,
  message: string,
  publicMessage: string,
  details: { cause?: unknown; retryAfterMs?: number | undefined } = {},
): MetadatadError {
  return new MetadatadError(code, message, {
    retryable: code === 'SUBJECT_TOKEN_UNAVAILABLE',
    fault: FAULTS[code],
    publicMessage,
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
    ...(details.cause === undefined ? {} : { cause: details.cause }),
  })
}
