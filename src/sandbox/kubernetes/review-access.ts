import { isRecord } from './is-record.ts'
import { StatusError } from './status-error.ts'

/**
 * Answers a SelfSubjectAccessReview (authorization.k8s.io/v1) about a resource. Rights are cluster-wide here, so
 * namespace and name do not matter.
 *
 * @param allows whether the caller has the right `verb resource`
 * @throws StatusError 400 for a review without resource attributes
 */
export function reviewAccess(
  allows: (right: string) => boolean,
  body: Readonly<Record<string, unknown>>,
): unknown {
  const spec = isRecord(body.spec) ? body.spec : {}
  const attributes = spec.resourceAttributes
  if (!isRecord(attributes)) throw StatusError.badRequest('spec.resourceAttributes is required')
  const { verb = '', resource = '', subresource = '' } = attributes
  const allowed = allows(`${verb} ${resource}${subresource ? `/${subresource}` : ''}`)
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: { creationTimestamp: null },
    spec,
    status: { allowed },
  }
}
