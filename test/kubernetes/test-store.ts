import { EventEmitter, once } from 'node:events'
import type { ReflectorStore } from '../../src/kubernetes/reflector-store.ts'
import { objectKey } from '../../src/kubernetes/types.ts'

/** A store that tells when it changes. */
export class TestStore<T extends { namespace: string; name: string }> implements ReflectorStore<T> {
  readonly objects = new Map<string, T>()
  readonly history: string[] = []
  readonly #changes = new EventEmitter()

  upsert(object: T): void {
    this.objects.set(objectKey(object), object)
    this.history.push(`+${objectKey(object)}`)
    this.#changes.emit('change')
  }

  remove(key: string): void {
    this.objects.delete(key)
    this.history.push(`-${key}`)
    this.#changes.emit('change')
  }

  keys(): Iterable<string> {
    return this.objects.keys()
  }

  /** Resolves when the store holds what `condition` wants. */
  async until(condition: (objects: ReadonlyMap<string, T>) => boolean): Promise<void> {
    while (!condition(this.objects)) await once(this.#changes, 'change')
  }
}
