import type { ServiceControls } from '../sandbox-types.ts'
import type { EntraErrorCode } from './entra-error.ts'

/** A federated identity credential of an application: whose tokens stand for it. Compared exactly, case and trailing slash included. */
export interface FederatedCredential {
  /** The issuer's https URL. */
  readonly issuer: string
  readonly subject: string
  /** `api://AzureADTokenExchange` in the public cloud. */
  readonly audience: string
}

/** An application, or user-assigned managed identity, that workloads may be. */
export interface EntraApplication {
  /** GUID. */
  readonly tenantId: string
  /** GUID. */
  readonly clientId: string
  /** At most 20. */
  readonly federatedCredentials: readonly FederatedCredential[]
  /** This many token requests find none of the credentials yet (AADSTS70021), as while Entra replicates them. */
  readonly propagatingCalls?: number
}

/** What an access token of the sandbox stands for. */
export interface AzureTokenInfo {
  readonly tenantId: string
  readonly clientId: string
  /** The service principal's, `oid` of the token. */
  readonly objectId: string
  /** `aud` of the token: the resource. */
  readonly audience: string
  /** `sub` of the assertion that was exchanged for it. */
  readonly subject: string
  /** The pod that assertion was bound to. */
  readonly podUid: string | undefined
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/**
 * Entra's v2 token endpoint with the client credentials grant and client assertions. Counter names: `token`, `openid` (its
 * own discovery document and keys), `unknown`, and `jwks` for the key sets that it asked issuers for.
 */
export interface SandboxAzure extends ServiceControls {
  readonly authorityUrl: string
  /** Adds, or replaces, an application. Its tenant exists from then on. */
  addApplication(application: EntraApplication): void
  removeApplication(tenantId: string, clientId: string): void
  /** Makes a resource known beside Azure's own: an application ID URI or GUID. */
  addResource(resource: string): void
  /** Whose an access token is; undefined if it was never given out or has ended. */
  inspect(accessToken: string): AzureTokenInfo | undefined
  /** Life of the tokens given out, in seconds. */
  tokenLifetimeSeconds: number
  /**
   * The next `times` token requests (Infinity: all from now on; 0: none any more) are refused with the real body of that AADSTS
   * code. Other answers (with `Retry-After`, or malformed) are given by `intercept`.
   */
  failNext(code: EntraErrorCode, times?: number): void
  /** While true, every connection is reset as soon as it is made; setting it resets the open ones. */
  outage: boolean
}
