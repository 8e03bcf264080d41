import type { ReflectorStore } from '../kubernetes/reflector-store.ts'
import { objectKey, type ServiceAccount } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import { KeyedWaiters } from '../lib/keyed-waiters.ts'

/** Told when what is known of a ServiceAccount changes in a way that matters: its UID or its identity annotations. */
export type ServiceAccountListener = (
  key: string,
  next: ServiceAccount | undefined,
  previous: ServiceAccount | undefined,
) => void

/** What is known of one ServiceAccount. The object stays the same for as long as somebody uses it. */
export interface ServiceAccountEntry {
  /** Undefined while it was never seen, or once it is known not to exist. */
  readonly current: ServiceAccount | undefined
}

interface Entry {
  current: ServiceAccount | undefined
  users: number
  /** How often the watch spoke of it. */
  told: number
  /** When it was last found not to exist, or asked for in vain; then `error` says why. */
  vain: { readonly at: number; readonly error: unknown } | undefined
  flight: Promise<void> | undefined
}

/** How to make a {@link ServiceAccountIndex}. */
export interface ServiceAccountIndexOptions {
  /** One metadata-only GET; undefined if the API server says that there is none. Has a deadline of its own. */
  readonly read: (namespace: string, name: string) => Promise<ServiceAccount | undefined>
  readonly clock: Clock
}

const ASK_AGAIN_MS = 1_000
const KEEP_ASKED_MS = 60_000

/**
 * The ServiceAccounts that matter to this node: those with an identity annotation, and those its pods use. Others are let
 * go at once, so that memory does not grow with the cluster. The watch of ServiceAccounts has no order with the watch of
 * pods; one that a pod uses and that was never seen is therefore asked for, never taken for un-annotated.
 */
export class ServiceAccountIndex implements ReflectorStore<ServiceAccount> {
  readonly #entries = new Map<string, Entry>()
  readonly #listeners: ServiceAccountListener[] = []
  readonly #waiting = new KeyedWaiters()
  readonly #read: ServiceAccountIndexOptions['read']
  readonly #clock: Clock

  constructor(options: ServiceAccountIndexOptions) {
    this.#read = options.read
    this.#clock = options.clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** Adds a listener for the life of the index. Must not throw. */
  listen(listener: ServiceAccountListener): void {
    this.#listeners.push(listener)
  }

  /** Calls `fn` at every change of the ServiceAccount, until the returned function is called. */
  onChange(key: string, fn: () => void): () => void {
    return this.#waiting.on(key, fn)
  }

  *keys(): Iterable<string> {
    for (const [key, entry] of this.#entries) if (entry.current !== undefined) yield key
  }

  /** A pod of this node names the ServiceAccount (`namespace/name`). Balanced by {@link release}. */
  use(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) entry.users++
    else this.#entries.set(key, newEntry(1))
  }

  /** A pod that used it is gone. */
  release(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.users--
    this.#drop(key, entry)
  }

  /** What is known now; undefined if nothing is kept. */
  entry(key: string): ServiceAccountEntry | undefined {
    return this.#entries.get(key)
  }

  /**
   * Asks the API server for one that was not seen, once for all who want to know, and keeps it for a minute even if the
   * watch shows no pod that uses it: the watch may be behind. Afterwards look at the entry. One that was missing or could
   * not be read is asked for again after a second: a pod that tries again and again must not reach the API server each time.
   *
   * @throws MetadatadError `KUBERNETES_UNAVAILABLE`, `KUBERNETES_FORBIDDEN`, `KUBERNETES_INVALID`
   */
  async ask(key: string): Promise<void> {
    const known = this.#entries.get(key)
    if (known?.current !== undefined) return
    if (known?.flight !== undefined) return known.flight
    const age = this.#clock.now() - (known?.vain?.at ?? Number.NEGATIVE_INFINITY)
    if (age >= 0 && age < ASK_AGAIN_MS) {
      if (known?.vain?.error !== undefined) throw known.vain.error
      return
    }
    this.use(key)
    this.#clock.after(KEEP_ASKED_MS, () => this.release(key))
    const entry = this.#entries.get(key)!
    entry.flight = this.#ask(key, entry).finally(() => {
      entry.flight = undefined
    })
    await entry.flight
  }

  upsert(serviceAccount: ServiceAccount): void {
    const key = objectKey(serviceAccount)
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      if (Object.keys(serviceAccount.annotations).length === 0) return
      entry = newEntry(0)
      this.#entries.set(key, entry)
    }
    entry.told++
    this.#set(key, entry, serviceAccount)
  }

  remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.told++
    entry.vain = { at: this.#clock.now(), error: undefined }
    this.#set(key, entry, undefined)
  }

  async #ask(key: string, entry: Entry): Promise<void> {
    const { told } = entry
    const slash = key.indexOf('/')
    let found: ServiceAccount | undefined
    try {
      found = await this.#read(key.slice(0, slash), key.slice(slash + 1))
    } catch (error) {
      entry.vain = { at: this.#clock.now(), error }
      throw error
    }
    // What the watch said in the meantime may be newer than the answer: that it was deleted, for one.
    if (entry.told !== told || this.#entries.get(key) !== entry) return
    if (found === undefined) entry.vain = { at: this.#clock.now(), error: undefined }
    else this.#set(key, entry, found)
  }

  #set(key: string, entry: Entry, next: ServiceAccount | undefined): void {
    const previous = entry.current
    if (next !== undefined && previous !== undefined && isSame(previous, next)) return
    entry.current = next
    if (next !== undefined) entry.vain = undefined
    this.#drop(key, entry)
    if (next === previous) return
    for (const listener of this.#listeners) listener(key, next, previous)
    this.#waiting.wake(key)
  }

  #drop(key: string, entry: Entry): void {
    const annotated = entry.current !== undefined && Object.keys(entry.current.annotations).length > 0
    if (entry.users > 0 || annotated) return
    this.#entries.delete(key)
    // Nothing tells this entry of changes any more: whoever still holds it must not take it for current.
    entry.current = undefined
  }
}

function newEntry(users: number): Entry {
  return { current: undefined, users, told: 0, vain: undefined, flight: undefined }
}

function isSame(a: ServiceAccount, b: ServiceAccount): boolean {
  if (a.uid !== b.uid) return false
  const names = Object.keys(a.annotations)
  return (
    names.length === Object.keys(b.annotations).length &&
    names.every((name) => a.annotations[name] === b.annotations[name])
  )
}
