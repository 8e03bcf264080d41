import { type ErrorCode, MetadatadError } from '../lib/errors.ts'

/**
 * A failure of the interception.
 *
 * @param code `INTERCEPT_FAILED` alone is worth another try
 * @param message for the log: lower case, no period
 * @param advice what an operator does next, in a sentence
 */
export function interceptError(
  code: Extract<ErrorCode, `INTERCEPT_${string}`>,
  message: string,
  advice: string,
  cause?: unknown,
): MetadatadError {
  return new MetadatadError(code, message, {
    fault: 'ours',
    retryable: code === 'INTERCEPT_FAILED',
    publicMessage: advice,
    ...(cause === undefined ? {} : { cause }),
  })
}
