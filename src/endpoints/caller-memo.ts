import type { Caller } from '../caller/caller.ts'
import type { CredentialHolder } from '../credentials/credentials.ts'

/**
 * Keeps what was worked out for callers, for as long as the very objects that it was worked out from are in use: any
 * change of pod or ServiceAccount makes new ones. Connections of one pod share it.
 */
export class CallerMemo<State> {
  readonly #make: (caller: Caller, holder: CredentialHolder) => State
  readonly #known = new WeakMap<object, { serviceAccount: object; state: State }>()

  /** @param make may throw; then nothing is kept */
  constructor(make: (caller: Caller, holder: CredentialHolder) => State) {
    this.#make = make
  }

  /** @throws what `make` throws */
  of(caller: Caller): State {
    const { pod, serviceAccount } = caller
    const known = this.#known.get(pod)
    if (known !== undefined && known.serviceAccount === serviceAccount) return known.state
    const state = this.#make(caller, {
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      serviceAccountName: serviceAccount.name,
      serviceAccountUid: serviceAccount.uid,
    })
    this.#known.set(pod, { serviceAccount, state })
    return state
  }
}
