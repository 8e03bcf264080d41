import type { Clock } from '../../lib/clock.ts'
import type { AccessToken, AccessTokens } from './access-tokens.ts'
import type { IamPermission, IamPolicy } from './iam-policy.ts'
import type { IdTokenSigner } from './id-token-signer.ts'
import { parseImpersonation } from './parse-impersonation.ts'
import { apiRefusal } from './refusal.ts'

/** What {@link impersonate} needs. */
export interface IamCredentials {
  readonly clock: Clock
  readonly tokens: AccessTokens
  readonly policy: IamPolicy
  readonly idTokens: IdTokenSigner
  /** Seconds that a token lives at most. */
  readonly lifetime: () => number
}

/** A request of `POST /v1/projects/-/serviceAccounts/EMAIL:METHOD`. */
export interface ImpersonationRequest {
  readonly path: string
  readonly authorization: string | undefined
  /** `x-goog-user-project`. */
  readonly quotaProject: string | undefined
  /** The parsed JSON body; undefined if it was not JSON. */
  readonly body: unknown
}

/** Either scope lets a token call IAM (Google Cloud, IAM Service Account Credentials API, authorization scopes). */
const IAM_SCOPES = ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/iam']

/**
 * Impersonates a service account: an access token or an ID token of it, for a caller whose bearer token is live and whom
 * the policy lets in, through each delegate in turn.
 *
 * @returns the body of the answer
 * @throws Refusal with a google.rpc.Status
 */
export async function impersonate(iam: IamCredentials, request: ImpersonationRequest): Promise<object> {
  const caller = authenticate(iam, request.authorization)
  const wanted = parseImpersonation(request.path, request.body)
  const { serviceAccountEmail } = wanted
  let members = caller.members
  for (const delegate of wanted.delegates) {
    authorize(iam, members, 'iam.serviceAccounts.implicitDelegation', delegate)
    members = [`serviceAccount:${delegate}`]
  }
  const now = iam.clock.now()
  if (wanted.method === 'generateIdToken') {
    authorize(iam, members, 'iam.serviceAccounts.getOpenIdToken', serviceAccountEmail)
    const issuedAt = Math.floor(now / 1000)
    return { token: await iam.idTokens.sign({ ...wanted, issuedAt, expiresAt: issuedAt + iam.lifetime() }) }
  }
  authorize(iam, members, 'iam.serviceAccounts.getAccessToken', serviceAccountEmail)
  // Whole seconds, as `expireTime` shows them: the token must not die before the end it was given out with.
  const end = Math.floor(now / 1000 + Math.min(wanted.lifetimeSeconds, iam.lifetime()))
  const accessToken = iam.tokens.issue({
    members: [`serviceAccount:${serviceAccountEmail}`],
    identity: serviceAccountEmail,
    scopes: wanted.scopes,
    podUid: caller.podUid,
    quotaProject: request.quotaProject,
    expiresAt: end * 1000,
  })
  return { accessToken, expireTime: new Date(end * 1000).toISOString().replace('.000Z', 'Z') }
}

function authenticate(iam: IamCredentials, authorization: string | undefined): AccessToken {
  if (authorization === undefined) {
    throw apiRefusal(
      'UNAUTHENTICATED',
      'Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    )
  }
  const caller = iam.tokens.find(/^Bearer (\S+)$/i.exec(authorization)?.[1] ?? '')
  if (!caller) {
    throw apiRefusal(
      'UNAUTHENTICATED',
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    )
  }
  if (!caller.scopes.some((scope) => IAM_SCOPES.includes(scope))) {
    throw apiRefusal('PERMISSION_DENIED', 'Request had insufficient authentication scopes.', {
      reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
    })
  }
  return caller
}

function authorize(
  iam: IamCredentials,
  members: readonly string[],
  permission: IamPermission,
  email: string,
): void {
  if (iam.policy.allows(members, permission, email)) return
  throw apiRefusal(
    'PERMISSION_DENIED',
    `Permission '${permission}' denied on resource (or it may not exist).`,
    {
      reason: 'IAM_PERMISSION_DENIED',
      metadata: { permission },
    },
  )
}
