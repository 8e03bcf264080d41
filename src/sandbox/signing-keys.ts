import type { webcrypto } from 'node:crypto'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose'

/** An issuer's RS256 keys: the newest signs, all are published and accepted. */
export class SigningKeys {
  readonly #published: JSONWebKeySet = { keys: [] }
  #verify = createLocalJWKSet(this.#published)
  #current: { readonly kid: string; readonly key: webcrypto.CryptoKey } | undefined

  /** A set with one key. */
  static async create(): Promise<SigningKeys> {
    const keys = new SigningKeys()
    await keys.rotate()
    return keys
  }

  /** RFC 7517 key set with every public key, oldest first. */
  get jwks(): JSONWebKeySet {
    return this.#published
  }

  /** Signs with a new key from now on. */
  async rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('RS256')
    const jwk = await exportJWK(publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    this.#published.keys.push({ use: 'sig', alg: 'RS256', kid, ...jwk })
    this.#verify = createLocalJWKSet(this.#published)
    this.#current = { kid, key: privateKey }
  }

  /** A signed JWT (RFC 7519) of exactly these claims. */
  sign(claims: JWTPayload): Promise<string> {
    const { kid, key } = this.#current!
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid }).sign(key)
  }

  /** The claims, if signature, issuer and times are right at `now` (milliseconds); else undefined. */
  async verify(token: string, issuer: string, now: number): Promise<JWTPayload | undefined> {
    try {
      const options = { issuer, algorithms: ['RS256'], currentDate: new Date(now) }
      return (await jwtVerify(token, this.#verify, options)).payload
    } catch {
      return undefined
    }
  }
}
