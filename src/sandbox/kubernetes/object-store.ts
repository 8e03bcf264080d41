import type { Clock } from '../../lib/clock.ts'
import { Collection } from './collection.ts'
import type { NodeObject, PodObject } from './kubernetes-object.ts'
import { NAMESPACES, NODES, PODS, SERVICE_ACCOUNTS } from './resources.ts'

/** Everything the API server stores, under one resourceVersion counter. */
export interface ObjectStore {
  readonly pods: Collection<PodObject>
  readonly serviceaccounts: Collection
  readonly nodes: Collection<NodeObject>
  readonly namespaces: Collection
}

/** An empty store. */
export function createObjectStore(clock: Clock): ObjectStore {
  const versions = { current: 1 }
  return {
    pods: new Collection(PODS, versions, clock),
    serviceaccounts: new Collection(SERVICE_ACCOUNTS, versions, clock),
    nodes: new Collection(NODES, versions, clock),
    namespaces: new Collection(NAMESPACES, versions, clock),
  }
}
