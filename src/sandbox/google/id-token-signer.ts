import { createHash } from 'node:crypto'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'

/** What an ID token says. */
export interface IdTokenContent {
  readonly audience: string
  readonly serviceAccountEmail: string
  readonly includeEmail: boolean
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Signs ID tokens of service accounts, as Google's accounts service does. */
export interface IdTokenSigner {
  readonly jwks: JSONWebKeySet
  /** A JWT with RS256 and the claims of `generateIdToken`: `sub` and `azp` are the service account's numeric id. */
  sign(content: IdTokenContent): Promise<string>
}

/** A signer with a key of its own. `issuer` is asked for at each signature, since a port is known only after listening. */
export async function createIdTokenSigner(issuer: () => string): Promise<IdTokenSigner> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const publicJwk = await exportJWK(publicKey)
  const kid = createHash('sha256').update(JSON.stringify(publicJwk)).digest('hex').slice(0, 40)
  return {
    jwks: { keys: [{ ...publicJwk, kid, alg: 'RS256', use: 'sig' }] },
    sign({ audience, serviceAccountEmail, includeEmail, issuedAt, expiresAt }) {
      const id = uniqueId(serviceAccountEmail)
      const email = includeEmail ? { email: serviceAccountEmail, email_verified: true } : {}
      const claims = {
        iss: issuer(),
        sub: id,
        azp: id,
        aud: audience,
        iat: issuedAt,
        exp: expiresAt,
        ...email,
      }
      return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(privateKey)
    },
  }
}

/** 21 digits, the same for the same e-mail: the form of a service account's `uniqueId`. */
function uniqueId(serviceAccountEmail: string): string {
  const digest = createHash('sha256').update(serviceAccountEmail).digest()
  return `1${String(digest.readBigUInt64BE() % 10n ** 20n).padStart(20, '0')}`
}
