import type { ReflectorStore } from '../kubernetes/reflector-store.ts'
import { objectKey, type Pod } from '../kubernetes/types.ts'
import { KeyedWaiters } from '../lib/keyed-waiters.ts'
import type { AddressClaim } from './address-claim.ts'
import { ownsAddresses } from './owns-addresses.ts'

/** Told of every pod of the node, in the order the API server told it. Must not throw. */
export interface PodListener {
  /** The pod is new or changed; `previous` has the same UID. */
  podSeen(pod: Pod, previous: Pod | undefined): void
  /** The pod with this UID is gone from the API server. */
  podGone(pod: Pod): void
}

interface AddressEntry {
  readonly owners: Map<string, Pod>
  claim: { owners: readonly Pod[]; valid: boolean } | undefined
}

/**
 * The pods of this node by name, UID and address. Invariant 2 of the design rests on it: a claim handed out is a frozen
 * fact that turns invalid in the same tick in which the watch says otherwise.
 */
export class PodIndex implements ReflectorStore<Pod> {
  readonly #byKey = new Map<string, Pod>()
  readonly #byUid = new Map<string, Pod>()
  readonly #byAddress = new Map<string, AddressEntry>()
  readonly #waiting = new KeyedWaiters()
  readonly #listeners: PodListener[] = []
  /** How often a pod went, or gave up an address. */
  #departures = 0

  /** Adds a listener for the life of the index; it is first told of every pod already known. */
  listen(listener: PodListener): void {
    this.#listeners.push(listener)
    for (const pod of this.#byKey.values()) listener.podSeen(pod, undefined)
  }

  get size(): number {
    return this.#byKey.size
  }

  keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  /** Every address that some pod owns. */
  addresses(): string[] {
    return [...this.#byAddress.keys()]
  }

  byUid(uid: string): Pod | undefined {
    return this.#byUid.get(uid)
  }

  /** Who owns `address` (spelled by `canonicalAddress`) as far as the watch knows. */
  claim(address: string): AddressClaim {
    const entry = this.#byAddress.get(address)
    if (entry !== undefined) {
      entry.claim ??= { owners: [...entry.owners.values()], valid: true }
      return entry.claim
    }
    const departures = this.#departures
    // What came may have gone again since. That is not remembered by address: strangers have as many as they like.
    const isUnclaimed = () => departures === this.#departures && !this.#byAddress.has(address)
    return {
      owners: [],
      get valid() {
        return isUnclaimed()
      },
    }
  }

  /** Calls `fn` at every change of the address's owners, until the returned function is called. */
  onAddressChange(address: string, fn: () => void): () => void {
    return this.#waiting.on(address, fn)
  }

  upsert(pod: Pod): void {
    const key = objectKey(pod)
    const known = this.#byKey.get(key)
    if (known !== undefined && known.uid !== pod.uid) this.remove(key)
    const previous = known?.uid === pod.uid ? known : undefined
    this.#byKey.set(key, pod)
    this.#byUid.set(pod.uid, pod)
    this.#move(previous, pod)
    for (const listener of this.#listeners) listener.podSeen(pod, previous)
  }

  remove(key: string): void {
    const pod = this.#byKey.get(key)
    if (pod === undefined) return
    this.#byKey.delete(key)
    this.#byUid.delete(pod.uid)
    this.#move(pod, undefined)
    for (const listener of this.#listeners) listener.podGone(pod)
  }

  #move(previous: Pod | undefined, next: Pod | undefined): void {
    const before = previous !== undefined && ownsAddresses(previous) ? previous.ips : []
    const after = next !== undefined && ownsAddresses(next) ? next.ips : []
    const isDeparture = next === undefined || !ownsAddresses(next) || before.some((it) => !after.includes(it))
    if (isDeparture) this.#departures++
    for (const address of before) {
      const entry = this.#invalidated(address)
      entry?.owners.delete(previous!.uid)
      if (entry?.owners.size === 0) this.#byAddress.delete(address)
    }
    for (const address of after) {
      const entry = this.#invalidated(address) ?? { owners: new Map(), claim: undefined }
      entry.owners.set(next!.uid, next!)
      this.#byAddress.set(address, entry)
    }
    for (const address of new Set([...before, ...after])) this.#waiting.wake(address)
  }

  #invalidated(address: string): AddressEntry | undefined {
    const entry = this.#byAddress.get(address)
    if (entry?.claim !== undefined) {
      entry.claim.valid = false
      entry.claim = undefined
    }
    return entry
  }
}
