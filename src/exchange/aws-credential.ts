import type { Secret } from '../lib/secret.ts'
import type { Credential } from './credential-spec.ts'

/** A role session of AWS STS. */
export interface AwsCredential extends Credential {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
  readonly sessionToken: Secret
  readonly accountId: string
  /** When it was obtained, in milliseconds since the epoch: `LastUpdated`. */
  readonly obtainedAt: number
}
