import { decodeJwt } from 'jose'
import { printable } from '../identity/printable.ts'
import type { Secret } from '../lib/secret.ts'

/**
 * The issuer of a service-account token, for messages that say what a cloud has to trust: an URL, and no secret.
 *
 * @returns undefined if the token has none, or is no JWT
 */
export function issuerOf(subjectToken: Secret): string | undefined {
  try {
    const { iss } = decodeJwt(subjectToken.reveal())
    return typeof iss === 'string' && iss !== '' ? printable(iss, 200) : undefined
  } catch {
    return undefined
  }
}
