import type { Credential, CredentialHolder, CredentialSpec } from '../exchange/credential-spec.ts'
import type { Deadline } from '../lib/deadline.ts'

export type { Credential, CredentialHolder, CredentialSpec }

/** The credentials of every pod of the node: had already, being fetched, or renewed ahead of need. */
export interface Credentials {
  /** One that is good now, without waiting; marks it used. For the warm path. */
  peek<C extends Credential>(spec: CredentialSpec<C>, holder: CredentialHolder): C | undefined
  /**
   * One that is good now, obtained if need be. All concurrent callers share one flight, which their deadlines do not
   * end. An old credential is served, with its true life, while its renewal fails for a transient reason.
   *
   * @throws MetadatadError what obtaining it threw; `CREDENTIAL_LIMIT`; `CALLER_NOT_READY` (retryable) at the deadline
   */
  get<C extends Credential>(spec: CredentialSpec<C>, holder: CredentialHolder, deadline: Deadline): Promise<C>
  /**
   * Starts to obtain one that will surely be asked for. Never throws; failures are logged and counted.
   *
   * @param soon the pod's containers are about to start: it is obtained at once, even when the daemon has just met all its pods
   */
  prefetch(spec: CredentialSpec, holder: CredentialHolder, soon?: boolean): void
  /** The pod is gone or no longer runs: what only it used is dropped, flights included. */
  podGone(podUid: string): void
  /** The ServiceAccount is gone, replaced or annotated otherwise: all that was obtained for it is dropped. */
  serviceAccountChanged(serviceAccountUid: string): void
}
