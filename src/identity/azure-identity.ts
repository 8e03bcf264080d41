import type { ServiceAccountName } from './google-trust.ts'

/** What one pod is to Azure. */
export interface AzureIdentity {
  readonly cloud: 'azure'
  /** Whose it is: the operator's rules are asked again for an application that only a request names. */
  readonly holder: ServiceAccountName
  /** The annotated application (client) ID; undefined: only requests that name one can be answered. */
  readonly clientId: string | undefined
  readonly tenantId: string
  /** Life asked for the subject token, in seconds; undefined: the configured one. */
  readonly tokenExpirationSeconds: number | undefined
}
