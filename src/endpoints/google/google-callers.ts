import type { Caller } from '../../caller/caller.ts'
import type { CredentialHolder, CredentialSpec } from '../../credentials/credentials.ts'
import type { GoogleIdentity } from '../../identity/google-identity.ts'
import type { GoogleAnswer } from './google-answer.ts'
import type { GooglePipeline, TokenCredential } from './google-pipeline.ts'

/** What was worked out for a pod with its ServiceAccount as they are now. */
export interface GoogleCaller {
  readonly identity: GoogleIdentity
  readonly holder: CredentialHolder
  /** By raw query string. */
  readonly accessTokens: Map<string, TokenEntry>
  /** By raw query string. */
  readonly idTokens: Map<string, TokenEntry>
}

/** A credential that was asked for, and its last answer. */
export interface TokenEntry {
  readonly spec: CredentialSpec<TokenCredential>
  rendered: { credential: TokenCredential; secondsLeft: number; answer: GoogleAnswer } | undefined
}

/**
 * Keeps what was worked out for callers, for as long as the very objects that it was worked out from are in use: any
 * change of pod or ServiceAccount makes new ones. Connections of one pod share it.
 */
export class GoogleCallers {
  readonly #pipeline: GooglePipeline
  readonly #known = new WeakMap<object, { serviceAccount: object; state: GoogleCaller }>()

  constructor(pipeline: GooglePipeline) {
    this.#pipeline = pipeline
  }

  /** @throws MetadatadError `IDENTITY_*` */
  of(caller: Caller): GoogleCaller {
    const { pod, serviceAccount } = caller
    const known = this.#known.get(pod)
    if (known !== undefined && known.serviceAccount === serviceAccount) return known.state
    const state: GoogleCaller = {
      identity: this.#pipeline.resolve(caller),
      holder: {
        namespace: pod.namespace,
        name: pod.name,
        uid: pod.uid,
        serviceAccountName: serviceAccount.name,
        serviceAccountUid: serviceAccount.uid,
      },
      accessTokens: new Map(),
      idTokens: new Map(),
    }
    this.#known.set(pod, { serviceAccount, state })
    return state
  }
}
