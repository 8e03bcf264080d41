import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Test } from 'tap'
import { Agent } from 'undici'
import type { Credential, CredentialSpec, ObtainContext } from '../../src/exchange/credential-spec.ts'
import { createGoogleTokens, type GoogleTokensOptions } from '../../src/exchange/google-tokens.ts'
import type { GoogleIdentity } from '../../src/identity/google-identity.ts'
import { type GoogleTrust, iamMember } from '../../src/identity/google-trust.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { createCertificateAuthority } from '../../src/sandbox/certificate-authority.ts'
import { startGoogle } from '../../src/sandbox/google/start-google.ts'
import { HastyClock } from './hasty-clock.ts'

export const PROVIDER = 'projects/123/locations/global/workloadIdentityPools/my-pool/providers/my-cluster'
export const EMAIL = 'web@proj.iam.gserviceaccount.com'

/** The sandbox's Google, an issuer it trusts, and the exchange in front of it. */
export async function setUp(t: Test, change: Partial<GoogleTokensOptions> = {}) {
  const clock = new HastyClock()
  const ca = await createCertificateAuthority()
  const issuer = await startIssuer(t, await ca.issueServer())
  const google = await startGoogle({
    ca,
    clock: { now: () => clock.now(), after: systemClock.after },
    log: silentLog,
    podIsAlive: () => true,
  })
  google.addProvider(PROVIDER, { issuer: issuer.url })
  const dispatcher = new Agent({ connect: { ca: ca.pem } })
  t.teardown(async () => {
    await dispatcher.destroy()
    await google.close()
  })
  const trust: GoogleTrust = change.trust ?? { kind: 'pool', provider: PROVIDER }
  const tokens = createGoogleTokens({
    trust,
    universeDomain: 'googleapis.com',
    endpoints: { sts: google.stsUrl, iamCredentials: google.iamCredentialsUrl },
    dispatcher,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    random: () => 0,
    ...change,
  })

  const member = iamMember(trust, { namespace: 'team-a', serviceAccount: 'web' })
  const identity = (change: Partial<GoogleIdentity> = {}): GoogleIdentity => ({
    cloud: 'google',
    serviceAccountEmail: EMAIL,
    quotaProject: undefined,
    email: EMAIL,
    member,
    ...change,
  })
  const asked: { audience: string; renew: boolean }[] = []
  const cache = new Map<string, Promise<Credential>>()
  const controller = new AbortController()
  const context: ObtainContext = {
    holder: {
      namespace: 'team-a',
      name: 'web-0',
      uid: 'pod-uid',
      serviceAccountName: 'web',
      serviceAccountUid: 'sa-uid',
    },
    signal: controller.signal,
    async subjectToken(audience, { renew = false } = {}) {
      asked.push({ audience, renew })
      const issuedAt = Math.floor(clock.now() / 1000) - (issuer.stale && !renew ? 7200 : 0)
      return new Secret(await issuer.sign(audience, issuedAt))
    },
    credential<C extends Credential>(spec: CredentialSpec<C>, renew = false): Promise<C> {
      if (renew) cache.delete(spec.key)
      const found = (cache.get(spec.key) as Promise<C> | undefined) ?? spec.obtain(context)
      cache.set(spec.key, found)
      return found
    },
  }
  return { google, issuer, tokens, clock, identity, member, context, controller, asked }
}

async function startIssuer(t: Test, certificate: { cert: string; key: string }) {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'RS256', use: 'sig' }
  const server = createServer(certificate, (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify(
        request.url === '/jwks' ? { keys: [jwk] } : { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` },
      ),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** While true, only tokens that are asked for as new ones are alive. */
    stale: false,
    subject: 'system:serviceaccount:team-a:web',
    sign: (audience: string, issuedAt: number) =>
      new SignJWT({ 'kubernetes.io': { namespace: 'team-a', pod: { name: 'web-0', uid: 'pod-uid' } } })
        .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
        .setIssuer(issuer.url)
        .setSubject(issuer.subject)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + 3600)
        .sign(privateKey),
  }
  return issuer
}
