import type { CredentialHolder } from './credential-spec.ts'

/** The `sub` of a ServiceAccount's tokens, which clouds compare (Kubernetes, "Service Account Token Claims"). */
export function serviceAccountSubject(
  holder: Pick<CredentialHolder, 'namespace' | 'serviceAccountName'>,
): string {
  return `system:serviceaccount:${holder.namespace}:${holder.serviceAccountName}`
}
