import { decodeJwt } from 'jose'
import { Secret } from '../lib/secret.ts'
import type { AzureToken } from './azure-token.ts'
import type { CloudAnswer } from './cloud-request.ts'
import { malformed } from './malformed.ts'
import { parseObject } from './parse-object.ts'

const SERVICE = 'Microsoft Entra'
/** Entra's longest tokens, those with continuous access evaluation, live for 28 hours. */
const MAX_LIFE_SECONDS = 2 * 86_400
/** What goes into a JSON text and a header unchanged. Tokens with many groups and roles are long. */
const TOKEN = /^[\x21-\x7e]{1,32768}$/

/**
 * A successful answer of the token endpoint
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#successful-response-1).
 *
 * @throws MetadatadError `EXCHANGE_MALFORMED`
 */
export function azureToken(answer: CloudAnswer): AzureToken {
  const body = parseObject(answer.text)
  const life = secondsOf(body?.expires_in)
  if (!(life >= 1 && life <= MAX_LIFE_SECONDS)) throw malformed(SERVICE, 'bad expires_in')
  if (typeof body?.token_type !== 'string' || body.token_type.toLowerCase() !== 'bearer') {
    throw malformed(SERVICE, 'bad token_type')
  }
  const text = body.access_token
  if (typeof text !== 'string' || !TOKEN.test(text)) throw malformed(SERVICE, 'bad access_token')
  const token = new Secret(text)
  const expiresAt = answer.sentAt + Math.floor(life) * 1000
  return { token, expiresAt, notBefore: notBeforeOf(text, expiresAt) ?? answer.sentAt, digest: token.digest }
}

/** The v1 endpoint, and what imitates Entra, writes it as a text. */
function secondsOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
}

/** Of what is a JWT; a resource may have its tokens encrypted. */
function notBeforeOf(token: string, expiresAt: number): number | undefined {
  try {
    const { nbf } = decodeJwt(token)
    const at = typeof nbf === 'number' ? Math.floor(nbf) * 1000 : Number.NaN
    return at >= 0 && at < expiresAt ? at : undefined
  } catch {
    return undefined
  }
}
