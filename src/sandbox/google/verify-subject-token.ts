import { AssertionError } from '../assertion-error.ts'
import type { Refusal } from '../refusal.ts'
import { showClaim } from '../show-claim.ts'
import { type Assertion, type AssertionVerifier, verifyAssertion } from '../verify-assertion.ts'
import { stsRefusal } from './refusal.ts'
import type { Trust } from './trusts.ts'

/** What {@link verifySubjectToken} needs. */
export interface SubjectTokenVerifier extends AssertionVerifier {
  /** Whether the issuer's cluster still has the pod that a token is bound to. */
  readonly podIsAlive: (issuer: string, podUid: string) => boolean
}

/**
 * Verifies a subject token as {@link verifyAssertion} does, and that the pod it is bound to still exists.
 *
 * @throws Refusal `invalid_grant`, with Google's wording where it is known
 */
export async function verifySubjectToken(
  verifier: SubjectTokenVerifier,
  trust: Trust,
  token: string,
): Promise<Assertion> {
  const { issuer, allowedAudiences: audiences } = trust
  const assertion = await verifyAssertion(verifier, token, { issuer, audiences }).catch((error: unknown) => {
    throw error instanceof AssertionError ? refusalOf(error, issuer) : error
  })
  if (assertion.podUid !== undefined && !verifier.podIsAlive(issuer, assertion.podUid)) {
    throw stsRefusal('invalid_grant', 'The pod that the ID Token is bound to no longer exists.')
  }
  return assertion
}

function refusalOf({ fault, claim, claims, message }: AssertionError, issuer: string): Refusal {
  const refusal = (description: string) => stsRefusal('invalid_grant', description)
  switch (fault) {
    case 'malformed':
      return refusal('The subject token is not a JSON Web Token.')
    case 'issuer':
      return refusal(
        `The issuer in ID Token ${showClaim(claims.iss)} does not match the expected ones: ${issuer}.`,
      )
    case 'unreachable':
    case 'documents':
      return refusal("Error connecting to the given credential's issuer.")
    case 'expired':
      return refusal(`ID Token issued at ${showClaim(claims.iat)} is stale to sign-in.`)
    case 'claim':
      return claim === 'aud'
        ? refusal(`The audience in ID Token [${showClaim(claims.aud)}] does not match the expected audience.`)
        : refusal(`The claim ${claim} in ID Token is missing or not valid.`)
    default:
      return refusal(`The ID Token could not be verified: ${message}.`)
  }
}
