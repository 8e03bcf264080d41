import type { Credential, CredentialHolder, CredentialSpec } from '../../src/exchange/credential-spec.ts'

/** A credential, with what the model needs to tell whose it is. */
export interface Issued extends Credential {
  readonly subject: string
  /** How often the ServiceAccount had changed when the cloud was asked. */
  readonly era: number
  readonly issuedAt: number
  readonly freshMs: number
}

/** Names the one credential that `spec` is for the pod: what may be shared, and no more. */
export function subjectOf(spec: CredentialSpec, holder: CredentialHolder): string {
  return `${holder.serviceAccountUid}|${spec.shareBy === 'pod' ? holder.uid : ''}|${spec.key}`
}
