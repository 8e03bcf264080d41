import type { Secret } from '../lib/secret.ts'

/** A pod, as far as obtaining a credential needs to know it (`kubernetes/types.ts` PodReference). */
export interface CredentialHolder {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly serviceAccountName: string
  readonly serviceAccountUid: string
}

/** Something with an end that a cloud gave out. */
export interface Credential {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Short digest for the audit log; never the credential. */
  readonly digest: string
}

/** What a subject token should be, besides being for an audience. */
export interface SubjectTokenWish {
  /** True after the cloud called the last one expired: a cached or projected one will not do. */
  readonly renew?: boolean | undefined
  /** Life to ask for, in seconds, where that is less than the configured one. A projected token has the life that the pod asked for. */
  readonly expirationSeconds?: number | undefined
}

/** What a credential is obtained with. */
export interface ObtainContext {
  /** A living pod of the ServiceAccount; its namespace and name may appear in a role session. */
  readonly holder: CredentialHolder
  /** Aborted at the flight's deadline, or when nobody may have the credential any more. */
  readonly signal: AbortSignal
  /** A Kubernetes service-account token of the holder, bound to it. */
  subjectToken(audience: string, wish?: SubjectTokenWish): Promise<Secret>
  /**
   * Another credential of the same principal that this one is made from: cached, renewed and shared like any other.
   * @param renew true after the cloud called the last one dead: the cached one is dropped and will not do
   */
  credential<C extends Credential>(spec: CredentialSpec<C>, renew?: boolean): Promise<C>
}

/**
 * One credential that a principal may want, and how to get it. Clouds make these (`exchange/`); `credentials/` caches
 * by them and knows nothing else of a cloud.
 */
export interface CredentialSpec<C extends Credential = Credential> {
  /**
   * Canonical: two specs with one key are the same credential. Holds the cloud, the identity and the canonical scopes or
   * audience; `credentials/` adds the ServiceAccount's UID and, with `shareBy: 'pod'`, the pod's.
   */
  readonly key: string
  /** For metric labels and logs; from a small fixed set (`google-access-token`). */
  readonly kind: string
  /** The cloud identity, for the audit log. */
  readonly identity: string
  readonly shareBy: 'pod' | 'serviceAccount'
  /** A credential with less life than this (ms) is served only while its renewal fails. */
  readonly minimumRemainingMs: number
  /**
   * Asks the cloud, once: the retries of transient failures are inside, under `context.signal`.
   * @throws MetadatadError with an `EXCHANGE_*` or `SUBJECT_TOKEN_*` code
   */
  obtain(context: ObtainContext): Promise<C>
}
