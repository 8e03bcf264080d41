import type { ServiceControls } from '../sandbox-types.ts'
import type { StsErrorCode } from './sts-error.ts'

/** An IAM OIDC identity provider. */
export interface OidcProvider {
  /** 12 digits. */
  readonly accountId: string
  /** The issuer's https URL, as tokens spell it. */
  readonly issuer: string
  /** Audiences that are taken. */
  readonly clientIds: readonly string[]
}

/** One statement of a role's trust policy: whose tokens, of which subject and audience, may assume it. */
export interface RoleTrust {
  /** The issuer of an OIDC provider in the role's account. */
  readonly issuer: string
  /** `StringEquals` on `sub`, or `StringLike` with `*` and `?`. */
  readonly subject: string | { readonly like: string }
  /** `StringEquals` on `aud`; any of the provider's client IDs if absent. */
  readonly audience?: string
}

/** What a role session of the sandbox is. */
export interface AwsSessionInfo {
  readonly roleArn: string
  readonly sessionName: string
  /** `sub` of the token it was given for. */
  readonly subject: string
  /** The pod that token was bound to. */
  readonly podUid: string | undefined
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Milliseconds since the epoch, whole seconds. */
  readonly expiresAt: number
}

/**
 * AWS STS: `AssumeRoleWithWebIdentity` and `GetCallerIdentity` (with its SigV4 signature verified). Counter names:
 * `assumeRoleWithWebIdentity`, `getCallerIdentity`, `unknown`, and `jwks` for the key sets that it asked issuers for.
 */
export interface SandboxAws extends ServiceControls {
  readonly stsUrl: string
  /** Adds, or replaces, the account's provider for that issuer. */
  addOidcProvider(provider: OidcProvider): void
  /** Adds, or replaces, a role: `arn:aws:iam::123456789012:role/NAME`. Sessions of 3,600 s at most unless said otherwise. */
  addRole(arn: string, role: { trust: readonly RoleTrust[]; maxSessionSeconds?: number }): void
  removeRole(arn: string): void
  /** Whose an access key is; undefined if it was never given out or has ended. */
  inspect(accessKeyId: string): AwsSessionInfo | undefined
  /**
   * The next `times` calls of `AssumeRoleWithWebIdentity` (Infinity: all from now on; 0: none any more) are refused with the
   * real body of that error. Other answers, malformed ones say, are given by `intercept`.
   */
  failNext(code: StsErrorCode, times?: number): void
  /** While true, every connection is reset as soon as it is made; setting it resets the open ones. */
  outage: boolean
}
