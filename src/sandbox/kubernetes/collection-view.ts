import type { KubernetesObject } from './kubernetes-object.ts'

/** What a {@link CollectionView} is made of. */
export interface ViewParts<T extends KubernetesObject> {
  readonly resourceVersion: number
  /** The changes made since, oldest first: what they replaced is what the view shows. */
  readonly undone: readonly { readonly key: string; readonly previous: T | undefined }[]
  readonly live: ReadonlyMap<string, T>
  /** All live keys, sorted. */
  readonly liveKeys: () => readonly string[]
  /** The live keys of the objects whose indexed field has this value. */
  readonly indexedKeys: (value: string) => Iterable<string>
}

/** Which objects to look at. */
export interface Scan {
  /** Only this namespace. */
  readonly namespace?: string | undefined
  /** Only keys greater than this one. */
  readonly after?: string | undefined
  /** A value of the indexed field: others need not be looked at (but may be). */
  readonly indexedValue?: string | undefined
}

/**
 * The objects of a resource at one version: the live ones with the later changes undone. Good only until the next
 * change, so read it at once.
 */
export class CollectionView<T extends KubernetesObject> {
  readonly resourceVersion: number
  readonly #parts: ViewParts<T>
  readonly #undone = new Map<string, T | undefined>()

  constructor(parts: ViewParts<T>) {
    this.resourceVersion = parts.resourceVersion
    this.#parts = parts
    for (const { key, previous } of parts.undone) if (!this.#undone.has(key)) this.#undone.set(key, previous)
  }

  get(key: string): T | undefined {
    return this.#undone.has(key) ? this.#undone.get(key) : this.#parts.live.get(key)
  }

  /** The objects in the order of their keys, each with its key. */
  *scan({ namespace, after, indexedValue }: Scan): Generator<[key: string, object: T]> {
    const keys = this.#keys(indexedValue)
    const prefix = namespace === undefined ? '' : `${namespace}/`
    const from = after !== undefined && after > prefix ? after : prefix
    for (let i = firstNotBefore(keys, from); i < keys.length; i++) {
      const key = keys[i]!
      if (!key.startsWith(prefix)) return
      if (key === after) continue
      const object = this.get(key)
      if (object) yield [key, object]
    }
  }

  #keys(indexedValue: string | undefined): readonly string[] {
    if (indexedValue === undefined && this.#undone.size === 0) return this.#parts.liveKeys()
    const live = indexedValue === undefined ? this.#parts.live.keys() : this.#parts.indexedKeys(indexedValue)
    return [...new Set([...live, ...this.#undone.keys()])].sort()
  }
}

function firstNotBefore(sorted: readonly string[], bound: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
