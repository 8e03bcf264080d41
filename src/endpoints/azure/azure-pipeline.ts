import type { Caller } from '../../caller/caller.ts'
import type { Credential, CredentialSpec } from '../../credentials/credentials.ts'
import type { AzureIdentity } from '../../identity/azure-identity.ts'
import type { AzureSelector } from '../../identity/azure-selector.ts'
import type { Secret } from '../../lib/secret.ts'

/** An access token of Entra. */
export interface AzureAccessToken extends Credential {
  readonly token: Secret
  /** Milliseconds since the epoch. */
  readonly notBefore: number
}

/** What lies between a caller and its tokens: identity and exchange, as the endpoints need them. */
export interface AzurePipeline {
  /**
   * Pure and cheap.
   * @throws MetadatadError `IDENTITY_*`
   */
  resolve(caller: Caller): AzureIdentity
  /**
   * The application (client) ID that is meant.
   * @throws MetadatadError `IDENTITY_NONE` for none, or one that the operator's table does not have; `IDENTITY_REFUSED`
   */
  clientId(identity: AzureIdentity, selector: AzureSelector | undefined): string
  /**
   * @param resource as asked for; with or without `/.default`
   * @throws MetadatadError `REQUEST_INVALID`
   */
  accessToken(identity: AzureIdentity, clientId: string, resource: string): CredentialSpec<AzureAccessToken>
}

/** What is true of the node, whoever asks; an absent value is the empty string, as real IMDS has it. */
export interface AzureFacts {
  /** The same object until something changes. */
  current(): AzureFactValues
}

/** See {@link AzureFacts}. */
export interface AzureFactValues {
  readonly tenantId: string
  /** `AzurePublicCloud`, `AzureUSGovernmentCloud`, `AzureChinaCloud`. */
  readonly azEnvironment: string
  /** The region (`westeurope`). */
  readonly location: string
  /** The zone's number. */
  readonly zone: string
  readonly vmSize: string
  readonly name: string
  /** The node's own, IPv4. */
  readonly privateIpAddress: string
}
