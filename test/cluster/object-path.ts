import type { KubeObject } from './api.ts'

/** Kinds that belong to no namespace, of those that tests and manifests have. */
const CLUSTER_WIDE: readonly string[] = [
  'Namespace',
  'Node',
  'ClusterRole',
  'ClusterRoleBinding',
  'PriorityClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]

/** Where the API server has an object: `/api/v1/namespaces/NAMESPACE/pods/NAME`. */
export function objectPath({ apiVersion, kind, metadata }: KubeObject): string {
  const plural = kind.toLowerCase().replace(/y$/, 'ie').replace(/ss$/, 'sse').concat('s')
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const namespace = CLUSTER_WIDE.includes(kind) ? '' : `/namespaces/${metadata.namespace}`
  return `${group}${namespace}/${plural}/${metadata.name}`
}
