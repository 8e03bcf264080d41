import { identityError } from './identity-error.ts'
import { printable } from './printable.ts'

/**
 * An annotation of a ServiceAccount that can't be meant.
 *
 * @param value as annotated; shown in part
 * @param wanted what it must be, for the pod
 */
export function invalidAnnotation(annotation: string, value: string, wanted: string) {
  return identityError(
    'IDENTITY_INVALID',
    `annotation ${annotation} is malformed`,
    `The annotation ${annotation} of this pod's ServiceAccount is "${printable(value)}". It must be ${wanted}.`,
  )
}
