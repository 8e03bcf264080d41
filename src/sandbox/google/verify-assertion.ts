import { decodeJwt, errors, jwtVerify } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { Refusal, stsRefusal } from './refusal.ts'
import type { Claims, Trust } from './trusts.ts'

/** What {@link verifyAssertion} needs. */
export interface AssertionVerifier {
  readonly clock: Clock
  readonly keys: IssuerKeys
  /** Whether the issuer's cluster still has the pod that a token is bound to. */
  readonly podIsAlive: (issuer: string, podUid: string) => boolean
}

/** A Kubernetes service-account token that was found good. */
export interface Assertion {
  readonly claims: Claims
  /** The pod it is bound to (`kubernetes.io` claim, KEP-1205); undefined if it is bound to none. */
  readonly podUid: string | undefined
}

/** Longer than any service-account token. */
const MAX_LENGTH = 16_384

/**
 * Verifies a subject token against the issuer's own keys: RS256 signature, `iss`, `aud`, `exp` and `nbf` without leeway
 * (RFC 7519), and that the pod it is bound to still exists.
 *
 * @throws Refusal `invalid_grant`, with Google's wording where it is known
 */
export async function verifyAssertion(
  verifier: AssertionVerifier,
  trust: Trust,
  token: string,
): Promise<Assertion> {
  const unverified = decode(token)
  // Looked at first because a foreign issuer's key would be reported as an unknown one.
  if (unverified.iss !== trust.issuer) {
    throw stsRefusal(
      'invalid_grant',
      `The issuer in ID Token ${show(unverified.iss)} does not match the expected ones: ${trust.issuer}.`,
    )
  }
  const claims = await jwtVerify(token, (header) => verifier.keys.find(trust.issuer, header), {
    algorithms: ['RS256'],
    issuer: trust.issuer,
    audience: [...trust.allowedAudiences],
    currentDate: new Date(verifier.clock.now()),
    requiredClaims: ['sub', 'exp', 'iat'],
  }).then(
    ({ payload }) => payload as Claims,
    (error: unknown) => {
      throw error instanceof Refusal ? error : refusalOf(error, unverified)
    },
  )
  const podUid = boundPod(claims)
  if (podUid !== undefined && !verifier.podIsAlive(trust.issuer, podUid)) {
    throw stsRefusal('invalid_grant', 'The pod that the ID Token is bound to no longer exists.')
  }
  return { claims, podUid }
}

function decode(token: string): Claims {
  try {
    if (token.length <= MAX_LENGTH) return decodeJwt(token) as Claims
  } catch {}
  throw stsRefusal('invalid_grant', 'The subject token is not a JSON Web Token.')
}

function refusalOf(error: unknown, claims: Claims): Refusal {
  if (error instanceof errors.JWTExpired) {
    return stsRefusal('invalid_grant', `ID Token issued at ${show(claims.iat)} is stale to sign-in.`)
  }
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
    return stsRefusal(
      'invalid_grant',
      `The audience in ID Token [${show(claims.aud)}] does not match the expected audience.`,
    )
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return stsRefusal('invalid_grant', `The claim ${error.claim} in ID Token is missing or not valid.`)
  }
  // A malformed key of the issuer comes as a plain error.
  const reason = error instanceof errors.JOSEError ? error.code : 'unusable key'
  return stsRefusal('invalid_grant', `The ID Token could not be verified: ${reason}.`)
}

function boundPod(claims: Claims): string | undefined {
  const kubernetes = claims['kubernetes.io'] as { pod?: { uid?: unknown } | null } | null | undefined
  // A pod without a readable UID is a pod that does not exist, not a token bound to none.
  return kubernetes?.pod === undefined ? undefined : show(kubernetes.pod?.uid)
}

function show(claim: unknown): string {
  return (typeof claim === 'string' ? claim : (JSON.stringify(claim) ?? 'none')).slice(0, 200)
}
