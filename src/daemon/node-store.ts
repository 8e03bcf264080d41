import type { ReflectorStore } from '../kubernetes/reflector-store.ts'
import type { Node } from '../kubernetes/types.ts'

/**
 * Passes on every new state of the one Node that is watched, and remembers only its name. A Node that is deleted keeps its
 * last facts: the pods on it run on.
 */
export function nodeStore(update: (node: Node) => void): ReflectorStore<Node> {
  return {
    upsert: update,
    remove() {},
    keys: () => [],
  }
}
