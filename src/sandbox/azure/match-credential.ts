import type { Claims } from '../claims.ts'
import { showClaim } from '../show-claim.ts'
import { EntraError, type EntraErrorCode } from './entra-error.ts'
import { FEDERATION_ADVICE } from './federation-advice.ts'
import type { FederatedCredential } from './sandbox-azure.ts'

/**
 * The federated credential that an assertion's claims (not yet verified) match: issuer, subject and audience, character by
 * character.
 *
 * @throws EntraError which of the three matches none, the first of them in that order
 */
export function matchCredential(
  credentials: readonly FederatedCredential[],
  claims: Claims,
): FederatedCredential {
  const mismatch = (code: EntraErrorCode, what: string, hint = '') =>
    new EntraError(
      code,
      `No matching federated identity record found for presented assertion ${what}. ${hint}${FEDERATION_ADVICE}`,
    )
  const ofIssuer = credentials.filter(({ issuer }) => issuer === claims.iss)
  if (ofIssuer.length === 0) throw mismatch(700211, `issuer '${showClaim(claims.iss)}'`)
  const ofSubject = ofIssuer.filter(({ subject }) => subject === claims.sub)
  if (ofSubject.length === 0) {
    const shown = showClaim(claims.sub)
    const alike = ofIssuer.some(({ subject }) => subject.toLowerCase() === shown.toLowerCase())
    if (!alike) throw mismatch(700213, `subject '${shown}'`)
    throw mismatch(
      7002138,
      `subject '${shown}'`,
      'The subject matches with case-insensitive comparison, but not with case-sensitive comparison. ',
    )
  }
  const audiences = [claims.aud].flat()
  const credential = ofSubject.find(({ audience }) => audiences.includes(audience))
  if (!credential) throw mismatch(7002121, `audience '${showClaim(claims.aud)}'`)
  return credential
}
