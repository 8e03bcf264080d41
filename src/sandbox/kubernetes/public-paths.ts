import type { ServerResponse } from 'node:http'
import { sendJson } from '../send-json.ts'
import type { SigningKeys } from '../signing-keys.ts'

/** The paths that need no right, in a fixed set for the counters. */
export const PUBLIC_PATHS: readonly string[] = [
  '/version',
  '/readyz',
  '/livez',
  '/healthz',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
]

/**
 * Answers version, health, and the issuer's discovery document and keys (OpenID Connect Discovery 1.0; RFC 7517).
 *
 * @returns false if the path is none of these
 */
export function answerPublicPath(
  response: ServerResponse,
  path: string,
  accept: string | undefined,
  issuer: string,
  keys: SigningKeys,
): boolean {
  switch (path) {
    case '/version':
      sendJson(response, 200, {
        major: '1',
        minor: '34',
        gitVersion: 'v1.34.0-sandbox',
        platform: 'linux/amd64',
      })
      return true
    case '/readyz':
    case '/livez':
    case '/healthz':
      sendJson(response, 200, 'ok', { 'content-type': 'text/plain; charset=utf-8' })
      return true
    case '/.well-known/openid-configuration':
      sendJson(response, 200, {
        issuer,
        jwks_uri: `${issuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      })
      return true
    case '/openid/v1/jwks':
      // As kube-apiserver does.
      if (accept !== undefined && !/\*\/\*|jwk-set\+json/.test(accept))
        sendJson(response, 406, 'only the following media types are accepted: application/jwk-set+json')
      else sendJson(response, 200, keys.jwks, { 'content-type': 'application/jwk-set+json' })
      return true
    default:
      return false
  }
}
