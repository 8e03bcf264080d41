import { eventually } from '../support/eventually.ts'
import type { Api } from './api.ts'

/**
 * Waits until the API server's authorizers know of a right that was granted: they hear of it by a watch, as everybody does.
 *
 * @param spec of a SubjectAccessReview (authorization.k8s.io/v1)
 */
export async function whenAllowed(admin: Api, spec: Readonly<Record<string, unknown>>): Promise<void> {
  await eventually(
    () => admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec }),
    ({ status }) => status.allowed,
  )
}
