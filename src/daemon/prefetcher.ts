import { ownsAddresses } from '../caller/owns-addresses.ts'
import type { PodIndex, PodListener } from '../caller/pod-index.ts'
import type { ServiceAccountIndex } from '../caller/service-account-index.ts'
import type { Credentials } from '../credentials/credentials.ts'
import type { CredentialHolder, CredentialSpec } from '../exchange/credential-spec.ts'
import type { Pod, ServiceAccount } from '../kubernetes/types.ts'
import type { Log } from '../lib/log.ts'

/** How to make a prefetcher. */
export interface PrefetcherOptions {
  readonly pods: PodIndex
  readonly serviceAccounts: ServiceAccountIndex
  readonly credentials: Credentials
  /** What such a pod will surely ask for. Must not throw. */
  readonly specsFor: (pod: Pod, serviceAccount: ServiceAccount) => readonly CredentialSpec[]
  /** The list of ServiceAccounts is complete: one not seen by now has to be asked for. */
  readonly serviceAccountsSynced: () => boolean
  /** The pod, or the ServiceAccount that its tokens are of, is gone. */
  readonly dropTokens: (podUid: string) => void
  readonly log: Log
}

/** See {@link createPrefetcher}. */
export interface Prefetcher {
  /** To be called once when the first complete list of ServiceAccounts has arrived. */
  serviceAccountsReady(): void
}

const CONCURRENT_QUESTIONS = 8

/**
 * Follows the node's pods: obtains a pod's credentials when it is bound to the node, before its containers run, and has
 * everything dropped when the pod or its ServiceAccount goes or changes.
 */
export function createPrefetcher(options: PrefetcherOptions): Prefetcher {
  const { pods, serviceAccounts, credentials, log } = options
  const podsOf = new Map<string, Map<string, Pod>>()
  const unknown = new Set<string>()
  let asking = 0

  function prefetch(pod: Pod, serviceAccount: ServiceAccount): void {
    const holder = holderOf(pod, serviceAccount)
    // A container that starts asks at once; one that runs already has what it needs for a while.
    const soon = pod.phase === 'Pending'
    for (const spec of options.specsFor(pod, serviceAccount)) credentials.prefetch(spec, holder, soon)
  }

  function prefetchAll(key: string, serviceAccount: ServiceAccount): void {
    for (const pod of podsOf.get(key)?.values() ?? []) prefetch(pod, serviceAccount)
  }

  function ask(): void {
    for (const key of unknown) {
      if (asking >= CONCURRENT_QUESTIONS) return
      unknown.delete(key)
      asking++
      // The answer arrives through the index's listener below.
      serviceAccounts
        .ask(key)
        .catch((err) => log.warn({ err, serviceAccount: key }, 'service account not read'))
        .finally(() => {
          asking--
          ask()
        })
    }
  }

  function leave(pod: Pod): void {
    const key = serviceAccountKey(pod)
    const users = podsOf.get(key)
    if (users?.delete(pod.uid) !== true) return
    if (users.size === 0) {
      podsOf.delete(key)
      unknown.delete(key)
    }
    serviceAccounts.release(key)
    credentials.podGone(pod.uid)
    options.dropTokens(pod.uid)
  }

  const listener: PodListener = {
    podSeen(pod) {
      if (isOver(pod) || pod.serviceAccountName === '') return leave(pod)
      const key = serviceAccountKey(pod)
      const users = podsOf.get(key) ?? new Map<string, Pod>()
      const isNew = !users.has(pod.uid)
      users.set(pod.uid, pod)
      podsOf.set(key, users)
      if (!isNew) return
      serviceAccounts.use(key)
      const known = serviceAccounts.entry(key)?.current
      if (known !== undefined) return prefetch(pod, known)
      unknown.add(key)
      if (options.serviceAccountsSynced()) ask()
    },
    podGone: leave,
  }

  serviceAccounts.listen((key, next, previous) => {
    if (previous !== undefined) credentials.serviceAccountChanged(previous.uid)
    if (previous !== undefined && previous.uid !== next?.uid) {
      // They name the UID of a ServiceAccount that is no more, and a cloud would take them until they end.
      for (const podUid of podsOf.get(key)?.keys() ?? []) options.dropTokens(podUid)
    }
    if (next === undefined) return
    unknown.delete(key)
    prefetchAll(key, next)
  })
  pods.listen(listener)

  return { serviceAccountsReady: ask }
}

/** Will the pod never ask (again)? One that lost its sandbox and is not on its way out gets another. */
function isOver(pod: Pod): boolean {
  return !ownsAddresses(pod.terminating ? pod : { ...pod, sandboxGone: false })
}

function serviceAccountKey(pod: Pod): string {
  return `${pod.namespace}/${pod.serviceAccountName}`
}

/** A pod and its ServiceAccount as `credentials/` knows them. */
export function holderOf(pod: Pod, serviceAccount: ServiceAccount): CredentialHolder {
  return {
    namespace: pod.namespace,
    name: pod.name,
    uid: pod.uid,
    serviceAccountName: serviceAccount.name,
    serviceAccountUid: serviceAccount.uid,
  }
}
