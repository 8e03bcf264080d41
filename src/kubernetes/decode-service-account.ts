import { fields, text } from './json-fields.ts'
import { pickStrings } from './pick-strings.ts'
import type { ServiceAccount } from './types.ts'

/** The annotations that name cloud identities, by exact name: no number of others can crowd one of them out. */
const IDENTITY_ANNOTATIONS: ReadonlySet<string> = new Set([
  'iam.gke.io/gcp-service-account',
  'iam.gke.io/return-principal-id-as-email',
  'iam.gke.io/credential-quota-project',
  'eks.amazonaws.com/role-arn',
  'eks.amazonaws.com/audience',
  'eks.amazonaws.com/token-expiration',
  'eks.amazonaws.com/sts-regional-endpoints',
  'azure.workload.identity/client-id',
  'azure.workload.identity/tenant-id',
  'azure.workload.identity/service-account-token-expiration',
])

/**
 * Reads a ServiceAccount, or its PartialObjectMetadata. Total.
 *
 * @returns undefined if it has no namespace, name or UID
 */
export function decodeServiceAccount(object: unknown): ServiceAccount | undefined {
  const metadata = fields(fields(object).metadata)
  const namespace = text(metadata.namespace)
  const name = text(metadata.name)
  const uid = text(metadata.uid)
  if (namespace === undefined || name === undefined || uid === undefined) return undefined
  return {
    namespace,
    name,
    uid,
    resourceVersion: text(metadata.resourceVersion) ?? '',
    annotations: pickStrings(metadata.annotations, (key) => IDENTITY_ANNOTATIONS.has(key)),
  }
}
