import { MetadatadError } from '../lib/errors.ts'

/** The codes of an identity that a pod does not get. */
export type IdentityErrorCode = 'IDENTITY_NONE' | 'IDENTITY_INVALID' | 'IDENTITY_REFUSED'

/**
 * Why a pod has no identity. Never retryable: a change of what it rests on is seen without a retry.
 *
 * @param message for operators
 * @param publicMessage for the pod
 */
export function identityError(
  code: IdentityErrorCode,
  message: string,
  publicMessage: string,
  fault: 'policy' | 'caller' | 'ours' = 'policy',
): MetadatadError {
  return new MetadatadError(code, message, { fault, retryable: false, publicMessage })
}
