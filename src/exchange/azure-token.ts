import type { Secret } from '../lib/secret.ts'
import type { Credential } from './credential-spec.ts'

/** An access token of Microsoft Entra. */
export interface AzureToken extends Credential {
  readonly token: Secret
  /** Milliseconds since the epoch: the token's `nbf`, else when it was obtained. */
  readonly notBefore: number
}
