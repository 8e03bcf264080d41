/**
 * Where a reflector puts what it sees. The store is the consumer's, so that it alone decides what is worth its memory.
 * Keys are `namespace/name` (see `objectKey`). Calls are synchronous and must not throw.
 */
export interface ReflectorStore<T> {
  /** The object is there, new or changed. A changed UID under the same key is a different object. */
  upsert(object: T): void
  /** The object is gone: seen deleted, or missing from a complete list. */
  remove(key: string): void
  /** The keys the store holds now; a relist removes those the server no longer has. */
  keys(): Iterable<string>
}
