import type { KubernetesClient } from './client.ts'
import { fields } from './json-fields.ts'

/** One right (authorization.k8s.io/v1 ResourceAttributes). */
export interface AccessReview {
  readonly verb: string
  readonly resource: string
  readonly subresource?: string
  /** The API group; absent for the core group. */
  readonly group?: string
  /** Absent for all namespaces. */
  readonly namespace?: string
}

/**
 * May the daemon do this?
 *
 * @throws MetadatadError `KUBERNETES_*` if the API server does not say
 */
export async function reviewAccess(
  client: KubernetesClient,
  review: AccessReview,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await client.request({
    verb: 'create',
    resource: 'selfsubjectaccessreviews',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: review },
    },
    signal,
  })
  return fields(fields(answer).status).allowed === true
}
