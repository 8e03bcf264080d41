import type { Caller } from '../../caller/caller.ts'
import type { Credential, CredentialSpec } from '../../credentials/credentials.ts'
import type { GoogleIdentity } from '../../identity/google-identity.ts'
import type { Secret } from '../../lib/secret.ts'

/** A credential that is one token: an OAuth access token, or an ID token. */
export interface TokenCredential extends Credential {
  readonly token: Secret
}

/** What lies between a caller and Google's tokens: identity and exchange, as the endpoints need them. */
export interface GooglePipeline {
  /** Scopes of a token that was asked for without any: what `scopes` shows. */
  readonly defaultScopes: readonly string[]
  /**
   * Pure and cheap.
   * @throws MetadatadError `IDENTITY_*`
   */
  resolve(caller: Caller): GoogleIdentity
  /**
   * @param scopes in any order, repeated or not; none means the default scopes
   * @throws MetadatadError `REQUEST_INVALID`
   */
  accessToken(identity: GoogleIdentity, scopes: readonly string[]): CredentialSpec<TokenCredential>
  /**
   * @param identity one with a service account: a federated identity cannot have ID tokens
   * @param audience not empty, at most 2 KiB
   */
  idToken(identity: GoogleIdentity, audience: string): CredentialSpec<TokenCredential>
}

/** What is true of the node and its cluster, whoever asks. An absent value is answered 404. */
export interface GoogleFacts {
  /** The same object until something changes. */
  current(): GoogleFactValues
  /** Calls `fn` after every change until the returned function is called. */
  onChange(fn: () => void): () => void
}

/** See {@link GoogleFacts}. */
export interface GoogleFactValues {
  readonly projectId: string
  /** Decimal digits. */
  readonly numericProjectId?: string | undefined
  /** The zone's own name (`europe-west1-b`). */
  readonly zone?: string | undefined
  /** Decimal digits, at most 63 bits. */
  readonly instanceId?: string | undefined
  readonly hostname: string
  readonly nodeName: string
  readonly clusterName?: string | undefined
  readonly clusterLocation?: string | undefined
  readonly clusterUid?: string | undefined
  readonly universeDomain: string
}
