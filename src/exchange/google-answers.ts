import { decodeJwt } from 'jose'
import { Secret } from '../lib/secret.ts'
import type { CloudAnswer } from './cloud-request.ts'
import type { Credential } from './credential-spec.ts'
import { malformed } from './malformed.ts'
import { parseObject } from './parse-object.ts'

/** A token of Google, and when it ends. */
export interface GoogleToken extends Credential {
  readonly token: Secret
}

/** Google gives no token a longer life (12 hours, with the organisation's leave). */
const MAX_LIFE_SECONDS = 43_200
/** What `generateAccessToken` is asked for, and the life of every ID token. */
export const IAM_LIFE_SECONDS = 3_600
/** What goes into a header, a JSON text and a plain-text answer unchanged. STS tokens have up to 12,288 bytes. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * A successful answer of STS (RFC 8693 section 2.2.1).
 *
 * @throws MetadatadError `EXCHANGE_MALFORMED`
 */
export function stsToken(answer: CloudAnswer): GoogleToken {
  const service = 'Google STS'
  const body = parseObject(answer.text)
  const life = body?.expires_in
  if (typeof life !== 'number' || !(life >= 1 && life <= MAX_LIFE_SECONDS))
    throw malformed(service, 'bad expires_in')
  if (typeof body?.token_type !== 'string' || body.token_type.toLowerCase() !== 'bearer') {
    throw malformed(service, 'bad token_type')
  }
  return token(service, body.access_token, answer.sentAt + Math.floor(life) * 1000)
}

/**
 * A successful answer of `generateAccessToken` (https://cloud.google.com/iam/docs/reference/credentials/rest).
 *
 * @throws MetadatadError `EXCHANGE_MALFORMED`
 */
export function iamAccessToken(answer: CloudAnswer): GoogleToken {
  const body = parseObject(answer.text)
  const end = body?.expireTime
  const expiresAt = typeof end === 'string' && RFC_3339.test(end) ? Date.parse(end) : Number.NaN
  return token('Google IAM', body?.accessToken, inRange(expiresAt, answer))
}

/**
 * A successful answer of `generateIdToken`. The token is a JWT, read for its end and compared with what was asked; its
 * signature is for those it is shown to.
 *
 * @throws MetadatadError `EXCHANGE_MALFORMED`
 */
export function iamIdToken(answer: CloudAnswer, audience: string): GoogleToken {
  const text = parseObject(answer.text)?.token
  const claims = typeof text === 'string' && TOKEN.test(text) ? claimsOf(text) : undefined
  if (claims?.aud !== audience) throw malformed('Google IAM', 'identity token without the audience')
  return token(
    'Google IAM',
    text,
    inRange(typeof claims.exp === 'number' ? claims.exp * 1000 : Number.NaN, answer),
  )
}

function token(service: string, text: unknown, expiresAt: number): GoogleToken {
  if (typeof text !== 'string' || !TOKEN.test(text)) throw malformed(service, 'bad token')
  const secret = new Secret(text)
  return { token: secret, expiresAt, digest: secret.digest }
}

/**
 * An end by Google's clock as one by ours: it is only of use if it lies ahead, and where ours is late, the token still
 * lives no longer than it was asked to.
 */
function inRange(expiresAt: number, answer: CloudAnswer): number {
  const life = expiresAt - answer.sentAt
  if (!(life > 0 && life <= MAX_LIFE_SECONDS * 1000))
    throw malformed('Google IAM', "end of the token out of range by this node's clock")
  return Math.min(expiresAt, answer.sentAt + IAM_LIFE_SECONDS * 1000)
}

function claimsOf(jwt: string): ReturnType<typeof decodeJwt> | undefined {
  try {
    return decodeJwt(jwt)
  } catch {
    return undefined
  }
}
