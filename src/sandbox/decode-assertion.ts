import { decodeJwt } from 'jose'
import { AssertionError } from './assertion-error.ts'
import type { Claims } from './claims.ts'

/** AWS takes no longer one (AssumeRoleWithWebIdentity); no service-account token is. */
const MAX_LENGTH = 20_000

/**
 * What a JSON Web Token claims, unverified: for finding out whose keys to ask.
 *
 * @throws AssertionError `malformed`
 */
export function decodeAssertion(token: string): Claims {
  try {
    if (token.length <= MAX_LENGTH) return decodeJwt(token)
  } catch {}
  throw new AssertionError('malformed', 'not a JSON Web Token')
}
