import type { KubernetesObject, NodeObject, PodObject } from './kubernetes-object.ts'

/** What the API server knows of one kind of stored object. */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  /** The plural of the URL. */
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
  /** The fields that a field selector may name, and how to read them; an absent field is the empty string. */
  readonly fields: Readonly<Record<string, (object: T) => string>>
  /** The field whose values are indexed, so that selecting by it does not look at every object. */
  readonly indexed?: string
}

const NAME = { 'metadata.name': (object: KubernetesObject) => object.metadata.name }
const NAMESPACED = {
  ...NAME,
  'metadata.namespace': (object: KubernetesObject) => object.metadata.namespace ?? '',
}

export const PODS: Resource<PodObject> = {
  name: 'pods',
  kind: 'Pod',
  namespaced: true,
  fields: {
    ...NAMESPACED,
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'status.phase': (pod) => pod.status.phase,
    'status.podIP': (pod) => pod.status.podIP ?? '',
  },
  indexed: 'spec.nodeName',
}

export const SERVICE_ACCOUNTS: Resource = {
  name: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
  fields: NAMESPACED,
}

export const NODES: Resource<NodeObject> = { name: 'nodes', kind: 'Node', namespaced: false, fields: NAME }

export const NAMESPACES: Resource = { name: 'namespaces', kind: 'Namespace', namespaced: false, fields: NAME }
