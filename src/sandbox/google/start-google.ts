import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { answering } from '../answering.ts'
import type { CertificateAuthority } from '../certificate-authority.ts'
import { Controls } from '../controls.ts'
import { issuerAgent } from '../issuer-agent.ts'
import { IssuerKeys } from '../issuer-keys.ts'
import type { SandboxGoogle } from '../sandbox-types.ts'
import { startService } from '../service.ts'
import { AccessTokens } from './access-tokens.ts'
import { exchangeToken } from './exchange-token.ts'
import { IamPolicy } from './iam-policy.ts'
import { createIdTokenSigner } from './id-token-signer.ts'
import { impersonate } from './impersonate.ts'
import { apiRefusal } from './refusal.ts'
import { Trusts } from './trusts.ts'

/** What {@link startGoogle} needs. */
export interface GoogleOptions {
  /** Signs the services' certificates, and those of the token issuers they ask. */
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly log: Log
  /** The address to listen on; 127.0.0.1 unless said. */
  readonly host?: string | undefined
  /** Whether the cluster of that issuer still has that pod. */
  readonly podIsAlive: (issuer: string, podUid: string) => boolean
}

const DISCOVERY = '/.well-known/openid-configuration'
const CERTS = '/oauth2/v3/certs'

/**
 * Starts Google's Security Token Service and IAM Service Account Credentials API, each on a port of its own: both URLs
 * are origins, without a path. The latter also serves the discovery document and keys of its ID tokens.
 */
export async function startGoogle(
  options: GoogleOptions,
): Promise<SandboxGoogle & { close(): Promise<void> }> {
  const { ca, clock, log, podIsAlive, host } = options
  const controls = new Controls()
  const dispatcher = issuerAgent(ca)
  const keys = new IssuerKeys({ clock, dispatcher, onFetch: () => controls.count('jwks') })
  const trusts = new Trusts()
  const policy = new IamPolicy()
  const tokens = new AccessTokens({ clock })
  const lifetime = () => google.tokenLifetimeSeconds
  const exchange = { clock, trusts, tokens, lifetime, verifier: { clock, keys, podIsAlive } }
  const idTokens = await createIdTokenSigner(() => iamCredentials.url)
  const iam = { clock, tokens, policy, idTokens, lifetime }

  const sts = await startService({
    ...{ name: 'google sts', ca, clock, log, host, controls },
    callName: (method, url) => (method === 'POST' && url.pathname === '/v1/token' ? 'sts' : 'unknown'),
    handler: answering(({ name, request, text }) => {
      if (name !== 'sts') throw apiRefusal('NOT_FOUND', 'Requested entity was not found.')
      const { authorization, 'content-type': contentType } = request.headers
      return exchangeToken(exchange, { authorization, contentType, body: text })
    }),
  })
  const iamCredentials = await startService({
    ...{ name: 'google iam credentials', ca, clock, log, host, controls },
    callName: (method, url) => {
      if (method === 'GET' && [DISCOVERY, CERTS].includes(url.pathname)) return 'id token keys'
      if (method !== 'POST') return 'unknown'
      return /:(generateAccessToken|generateIdToken)$/.exec(url.pathname)?.[1] ?? 'unknown'
    },
    handler: answering(({ name, request, url, body }) => {
      if (name === 'id token keys')
        return url.pathname === CERTS ? idTokens.jwks : discovery(iamCredentials.url)
      if (name === 'unknown') throw apiRefusal('NOT_FOUND', 'Requested entity was not found.')
      const {
        authorization,
        'content-type': contentType,
        'x-goog-user-project': quotaProject,
      } = request.headers
      const isJson = /^application\/json(?:\s*;|$)/i.test(contentType ?? '')
      return impersonate(iam, {
        path: url.pathname,
        authorization,
        quotaProject: quotaProject?.toString(),
        body: isJson ? body : undefined,
      })
    }),
  })

  const google = Object.assign(controls, {
    stsUrl: sts.url,
    iamCredentialsUrl: iamCredentials.url,
    idTokenIssuer: iamCredentials.url,
    tokenLifetimeSeconds: 3600,
    addProvider: trusts.addProvider.bind(trusts),
    addIdentityNamespace: trusts.addIdentityNamespace.bind(trusts),
    grant: (
      email: string,
      member: string,
      role: Parameters<SandboxGoogle['grant']>[2] = 'roles/iam.workloadIdentityUser',
    ) => policy.grant(email, member, role),
    revoke: policy.revoke.bind(policy),
    inspect(accessToken: string) {
      const found = tokens.find(accessToken)
      if (!found) return undefined
      const { identity, scopes, podUid, quotaProject } = found
      return { identity, scopes, podUid, quotaProject }
    },
    close: async () => {
      await Promise.all([sts.close(), iamCredentials.close(), dispatcher.destroy()])
    },
  })
  return google
}

function discovery(issuer: string): object {
  return {
    issuer,
    jwks_uri: `${issuer}${CERTS}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
}
