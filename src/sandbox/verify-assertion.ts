import { errors, jwtVerify } from 'jose'
import type { Clock } from '../lib/clock.ts'
import { AssertionError } from './assertion-error.ts'
import type { Claims } from './claims.ts'
import { decodeAssertion } from './decode-assertion.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { showClaim } from './show-claim.ts'

/** What {@link verifyAssertion} needs. */
export interface AssertionVerifier {
  readonly clock: Clock
  readonly keys: IssuerKeys
}

/** A Kubernetes service-account token that was found good. */
export interface Assertion {
  readonly claims: Claims
  /** The pod it is bound to (`kubernetes.io` claim, KEP-1205); undefined if it is bound to none. */
  readonly podUid: string | undefined
}

/**
 * Verifies a token against the issuer's own keys: RS256 signature, `iss`, `aud` (one of `audiences`), `exp` and `nbf`
 * without leeway (RFC 7519).
 *
 * @throws AssertionError
 */
export async function verifyAssertion(
  { clock, keys }: AssertionVerifier,
  token: string,
  { issuer, audiences }: { readonly issuer: string; readonly audiences: readonly string[] },
): Promise<Assertion> {
  const unverified = decodeAssertion(token)
  // Looked at first because a foreign issuer's key would be reported as an unknown one.
  if (unverified.iss !== issuer) {
    throw new AssertionError('issuer', 'another issuer', { claim: 'iss', claims: unverified })
  }
  const claims: Claims = await jwtVerify(token, (header) => keys.find(issuer, header), {
    algorithms: ['RS256'],
    issuer,
    audience: [...audiences],
    currentDate: new Date(clock.now()),
    requiredClaims: ['sub', 'exp', 'iat'],
  }).then(
    ({ payload }) => payload,
    (error: unknown) => {
      throw error instanceof AssertionError ? error : assertionError(error, unverified)
    },
  )
  return { claims, podUid: boundPod(claims) }
}

function assertionError(error: unknown, claims: Claims): AssertionError {
  if (error instanceof errors.JWTExpired) {
    return new AssertionError('expired', error.code, { claim: 'exp', claims })
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new AssertionError('claim', error.code, { claim: error.claim, claims })
  }
  if (error instanceof errors.JWKSNoMatchingKey) return new AssertionError('key', error.code, { claims })
  // A malformed key of the issuer comes as a plain error.
  const reason = error instanceof errors.JOSEError ? error.code : 'unusable key'
  return new AssertionError('signature', reason, { claims })
}

function boundPod(claims: Claims): string | undefined {
  const kubernetes = claims['kubernetes.io'] as { pod?: { uid?: unknown } | null } | null | undefined
  // A pod without a readable UID is a pod that does not exist, not a token bound to none.
  return kubernetes?.pod === undefined ? undefined : showClaim(kubernetes.pod?.uid)
}
