import { fields, text } from './json-fields.ts'
import { pickStrings } from './pick-strings.ts'
import type { ServiceAccount } from './types.ts'

const PREFIXES = ['iam.gke.io/', 'eks.amazonaws.com/', 'azure.workload.identity/']

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
    annotations: pickStrings(metadata.annotations, (key) =>
      PREFIXES.some((prefix) => key.startsWith(prefix)),
    ),
  }
}
