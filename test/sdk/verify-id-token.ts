import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { Agent, request } from 'undici'
import type { Sandbox } from '../../src/sandbox/sandbox-types.ts'

/**
 * Verifies an ID token as the service would that it was made for.
 *
 * @returns its claims
 * @throws Error if the issuer did not sign it for this audience, or it has ended
 */
export async function verifyIdToken(sandbox: Sandbox, token: string, audience: string): Promise<JWTPayload> {
  const issuer = sandbox.google.idTokenIssuer
  const dispatcher = new Agent({ connect: { ca: sandbox.caPem } })
  try {
    const get = async (url: string) => (await request(url, { dispatcher })).body.json() as Promise<object>
    const { jwks_uri } = (await get(`${issuer}/.well-known/openid-configuration`)) as { jwks_uri: string }
    const keys = createLocalJWKSet((await get(jwks_uri)) as Parameters<typeof createLocalJWKSet>[0])
    return (await jwtVerify(token, keys, { issuer, audience })).payload
  } finally {
    await dispatcher.close()
  }
}
