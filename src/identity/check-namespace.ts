import { identityError } from './identity-error.ts'

/**
 * A pod's ServiceAccount is always of its own namespace: anything else is a mix-up of ours, and must not be served.
 *
 * @throws MetadatadError `IDENTITY_REFUSED`
 */
export function checkNamespace(
  pod: { readonly namespace: string },
  serviceAccount: { readonly namespace: string },
): void {
  if (pod.namespace === serviceAccount.namespace) return
  throw identityError(
    'IDENTITY_REFUSED',
    'service account of another namespace',
    'The metadata daemon looked up the wrong ServiceAccount; please report this.',
    'ours',
  )
}
