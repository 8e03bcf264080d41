/**
 * Checks a token issuer's URL: no cloud takes one without TLS.
 *
 * @returns the issuer as it is, since tokens must spell it the same
 * @throws TypeError
 */
export function httpsIssuer(issuer: string): string {
  if (!URL.canParse(issuer) || new URL(issuer).protocol !== 'https:')
    throw new TypeError(`not an https issuer: ${issuer}`)
  return issuer
}
