import type { Clock } from '../../lib/clock.ts'
import { CollectionView } from './collection-view.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { Resource } from './resources.ts'

/** How many past changes of a resource are kept at least, and how many more before the surplus is dropped. */
const HISTORY = 10_000
const SURPLUS = 2_500

/** One change of one object. `object` is absent where it was deleted, `previous` where it was created. */
export interface Change<T extends KubernetesObject = KubernetesObject> {
  readonly resourceVersion: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly key: string
  readonly object: T | undefined
  readonly previous: T | undefined
}

/** The one counter that orders every change of every resource, as etcd's revision does. */
export interface VersionCounter {
  current: number
}

/** An object as it is written: the collection gives it its resourceVersion. */
export type Unversioned<T extends KubernetesObject> = Omit<T, 'metadata'> & {
  readonly metadata: Omit<T['metadata'], 'resourceVersion'>
}

/** All objects of one resource with their bounded history. */
export class Collection<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>
  readonly #versions: VersionCounter
  readonly #clock: Clock
  readonly #objects = new Map<string, T>()
  readonly #keysByUid = new Map<string, string>()
  readonly #keysByField = new Map<string, Set<string>>()
  readonly #listeners = new Set<(change: Change<T>) => void>()
  readonly #history: Change<T>[] = []
  /** Changes up to this version are forgotten. */
  #floor = 0
  #sortedKeys: readonly string[] | undefined

  constructor(resource: Resource<T>, versions: VersionCounter, clock: Clock) {
    this.resource = resource
    this.#versions = versions
    this.#clock = clock
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  byUid(uid: string): T | undefined {
    const key = this.#keysByUid.get(uid)
    return key === undefined ? undefined : this.#objects.get(key)
  }

  /** Creates or replaces the object of that name. */
  put(unversioned: Unversioned<T>): T {
    const resourceVersion = ++this.#versions.current
    const metadata = { ...unversioned.metadata, resourceVersion: String(resourceVersion) }
    const object = { ...unversioned, metadata } as unknown as T
    const { namespace, name, uid } = object.metadata
    const key = namespace === undefined ? name : `${namespace}/${name}`
    const previous = this.#objects.get(key)
    if (!previous) this.#sortedKeys = undefined
    this.#unindex(key, previous)
    this.#objects.set(key, object)
    this.#keysByUid.set(uid, key)
    const value = this.#indexValue(object)
    if (value !== undefined) {
      const keys = this.#keysByField.get(value)
      if (keys) keys.add(key)
      else this.#keysByField.set(value, new Set([key]))
    }
    this.#record({ resourceVersion, at: this.#clock.now(), key, object, previous })
    return object
  }

  /** Deletes the object; nothing happens if there is none. */
  remove(key: string): void {
    const previous = this.#objects.get(key)
    if (!previous) return
    this.#objects.delete(key)
    this.#sortedKeys = undefined
    this.#unindex(key, previous)
    const resourceVersion = ++this.#versions.current
    this.#record({ resourceVersion, at: this.#clock.now(), key, object: undefined, previous })
  }

  /** Calls `listener` with every change from now on, within the call that makes it. */
  listen(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The changes after a version, oldest first; undefined if some of them are forgotten. */
  since(resourceVersion: number): readonly Change<T>[] | undefined {
    if (resourceVersion < this.#floor) return undefined
    return this.#history.slice(this.#firstAfter((change) => change.resourceVersion > resourceVersion))
  }

  /** Everything as it was at a version; undefined if that is forgotten. */
  viewOf(resourceVersion: number): CollectionView<T> | undefined {
    const changes = this.since(resourceVersion)
    return changes && this.#view(changes, resourceVersion)
  }

  /** Everything as it was `lagMs` ago, or as long ago as is remembered. A lag of 0 is now. */
  viewBefore(lagMs: number): CollectionView<T> {
    if (lagMs <= 0) return this.#view([], this.#versions.current)
    const time = this.#clock.now() - lagMs
    const changes = this.#history.slice(this.#firstAfter((change) => change.at > time))
    return this.#view(changes, changes[0] ? changes[0].resourceVersion - 1 : this.#versions.current)
  }

  /** Forgets every change there has been, for watches and for views of a version. */
  compact(): void {
    this.#floor = this.#versions.current
  }

  #view(undone: readonly Change<T>[], resourceVersion: number): CollectionView<T> {
    return new CollectionView({
      resourceVersion,
      undone,
      live: this.#objects,
      liveKeys: () => {
        this.#sortedKeys ??= [...this.#objects.keys()].sort()
        return this.#sortedKeys
      },
      indexedKeys: (value) => this.#keysByField.get(value) ?? [],
    })
  }

  #record(change: Change<T>): void {
    this.#history.push(change)
    if (this.#history.length >= HISTORY + SURPLUS) {
      const forgotten = this.#history.splice(0, SURPLUS)
      this.#floor = Math.max(this.#floor, forgotten.at(-1)!.resourceVersion)
    }
    for (const listener of [...this.#listeners]) listener(change)
  }

  #firstAfter(isAfter: (change: Change<T>) => boolean): number {
    let low = 0
    let high = this.#history.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isAfter(this.#history[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }

  #indexValue(object: T): string | undefined {
    const { indexed, fields } = this.resource
    return indexed === undefined ? undefined : fields[indexed]!(object)
  }

  #unindex(key: string, object: T | undefined): void {
    if (!object) return
    this.#keysByUid.delete(object.metadata.uid)
    const value = this.#indexValue(object)
    if (value === undefined) return
    const keys = this.#keysByField.get(value)
    keys?.delete(key)
    if (keys?.size === 0) this.#keysByField.delete(value)
  }
}
