import type { Caller } from '../../caller/caller.ts'
import type { Credential, CredentialSpec } from '../../credentials/credentials.ts'
import type { AwsIdentity } from '../../identity/aws-identity.ts'
import type { Secret } from '../../lib/secret.ts'

/** A role session, as the endpoints show it. */
export interface RoleSession extends Credential {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken: Secret
  readonly accountId: string
  /** Milliseconds since the epoch. */
  readonly obtainedAt: number
}

/** What lies between a caller and its role session: identity and exchange, as the endpoints need them. */
export interface AwsPipeline {
  /**
   * Pure and cheap.
   * @throws MetadatadError `IDENTITY_*`
   */
  resolve(caller: Caller): AwsIdentity
  roleSession(caller: Caller, identity: AwsIdentity): CredentialSpec<RoleSession>
}

/** What is true of the node, whoever asks. An absent value is answered 404. */
export interface AwsFacts {
  /** The same object until something changes. */
  current(): AwsFactValues
}

/** See {@link AwsFacts}. */
export interface AwsFactValues {
  readonly region: string
  /** `aws`, `aws-cn`, … */
  readonly partition: string
  /** `amazonaws.com`, … */
  readonly dnsSuffix: string
  readonly availabilityZone?: string | undefined
  readonly availabilityZoneId?: string | undefined
  /** Of the Node's `providerID` (`aws:///ZONE/i-…`). */
  readonly instanceId?: string | undefined
  readonly instanceType?: string | undefined
  /** The node's own, IPv4. */
  readonly localIpv4?: string | undefined
  readonly hostname?: string | undefined
  readonly architecture?: string | undefined
  /** When the Node was created, in milliseconds since the epoch: `pendingTime`. */
  readonly pendingAt?: number | undefined
}
